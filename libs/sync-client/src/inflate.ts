/** Whether this device can read compressed frames: all browsers of the last years and Node can. */
export const canInflate = typeof DecompressionStream !== 'undefined';

/** @returns the text that the server compressed. @throws when it is no such thing */
export async function inflate(base64: string): Promise<string> {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).text();
}

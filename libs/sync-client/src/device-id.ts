/** 128 random bits as 32 hex digits. Not `randomUUID`: that one is missing on pages served over plain http. */
export const newDeviceId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** What Google charges for each kind of request. https://developers.google.com/workspace/drive/api/guides/limits */
export const units = { read: 5, list: 100, edit: 50, download: 200, other: 5 } as const;

export type RequestKind = keyof typeof units;

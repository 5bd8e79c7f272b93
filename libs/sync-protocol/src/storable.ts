/** Text that a database stores: without NUL, and without halves of characters. */
export const storable = /^[^\0\ud800-\udfff]*$/u;

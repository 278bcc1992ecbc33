/** What the server says of a session at the end of every answer. */
export const IN_TRANSACTION = 0x0001
export const AUTOCOMMIT = 0x0002
/** Backslashes are ordinary characters: what was escaped with them is not escaped. */
export const NO_BACKSLASH_ESCAPES = 0x0200

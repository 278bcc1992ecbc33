const TEXTS = {
  'NJS-003': 'invalid or closed connection',
  'NJS-040': 'connection request timeout: the request exceeded queueTimeout',
  'NJS-046': 'a connection pool with this alias already exists',
  'NJS-047': 'no connection pool has this alias',
  'NJS-064': 'the connection pool is closing',
  'NJS-065': 'the connection pool was closed',
  'NJS-076': 'the connection request was rejected: queueMax is reached',
  'NJS-083': 'pool statistics are not enabled',
  'NJS-104': 'the connection pool cannot be closed while connections are in use',
} as const

/** An error as oracledb makes it: a code, which its message begins with. */
export class OraclePoolError extends Error {
  readonly code: string

  constructor(code: keyof typeof TEXTS, more = '', options?: ErrorOptions) {
    super(`${code}: ${TEXTS[code]}${more}`, options)
    this.code = code
  }
}

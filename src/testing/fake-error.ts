import type { ErrorClass } from '../contract/driver.ts'

/** What a fake server says when something fails; it carries what the pool is to take it for. */
export class FakeError extends Error {
  override readonly name = 'FakeError'
  readonly errorClass: ErrorClass
  readonly code: string | undefined

  constructor(errorClass: ErrorClass, message: string, { code }: { code?: string } = {}) {
    // The stack would show the clock that brought the answer; not taking it makes outages of simulated hours cheap.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    super(message)
    Error.stackTraceLimit = stackTraceLimit
    this.errorClass = errorClass
    this.code = code
  }
}

/** The errors that a fake server makes by itself. */
export const fakeErrors = {
  refused: () => new FakeError('fatal', 'connection refused', { code: 'ECONNREFUSED' }),
  exhausted: () => new FakeError('exhausted', 'too many connections', { code: 'TOO_MANY' }),
  killed: () => new FakeError('fatal', 'the server ended this connection', { code: 'KILLED' }),
  reset: () => new FakeError('fatal', 'connection reset by peer', { code: 'ECONNRESET' }),
  closed: () => new FakeError('fatal', 'this connection is closed', { code: 'CLOSED' }),
  canceled: () => new FakeError('statement', 'canceled on request', { code: 'CANCELED' }),
  readOnly: () => new FakeError('stale', 'this server is read-only', { code: 'READ_ONLY' }),
  aborted: () => new FakeError('statement', 'the transaction is aborted until it ends', { code: 'ABORTED' }),
  notPrepared: (name: string) =>
    new FakeError('statement', `no prepared statement "${name}"`, { code: 'NOT_PREPARED' }),
  undone: () => new FakeError('statement', 'another one of the flight has failed', { code: 'UNDONE' }),
  noSavepoint: (name: string) =>
    new FakeError('statement', `no savepoint "${name}"`, { code: 'NO_SAVEPOINT' }),
  unanswered: (sql: string) =>
    new FakeError('statement', `the fake server has no answer for: ${sql}`, { code: 'UNANSWERED' }),
}

import { AcquireTimeoutError, ConnectError } from '../../contract/errors.ts'
import type { ErrorClasses } from './host.ts'

/** What the user catches: the classes of his own Sequelize, with ours as their cause. */
export function asSequelizeError(error: unknown, classes: ErrorClasses): unknown {
  if (error instanceof AcquireTimeoutError) return timedOut(error, classes)
  if (!(error instanceof ConnectError)) return error
  // The server's refusal, which Sequelize's driver has told in its own words already.
  if (error.cause instanceof classes.BaseError) return error.cause
  return withCause(new classes.ConnectionTimedOutError(error), error)
}

/** Sequelize 6 takes the parent, 7 the message and then what it calls the cause. */
function timedOut(error: AcquireTimeoutError, { ConnectionAcquireTimeoutError }: ErrorClasses): Error {
  const made =
    ConnectionAcquireTimeoutError.length === 1
      ? new ConnectionAcquireTimeoutError(error)
      : new ConnectionAcquireTimeoutError(error.message, error)
  return withCause(made, error)
}

function withCause(made: Error, cause: Error): Error {
  if (made.cause === undefined) {
    Object.defineProperty(made, 'cause', { value: cause, configurable: true, writable: true })
  }
  return made
}

import { AcquireTimeoutError, ConnectError, messageOf, PoolClosedError } from '../../contract/errors.ts'

export const ENDED = 'Cannot use a pool after calling end on the pool'
export const ENDED_TWICE = 'Called end on pool more than once'
export const RELEASED_TWICE = 'Release called on client which has already been released to the pool.'
export const FUNCTION_FIRST = 'Passing a function as the first parameter to pool.query is not supported'
const NOT_IN_TIME = 'timeout exceeded when trying to connect'
const NOT_CONNECTED_IN_TIME = 'Connection terminated due to connection timeout'

/** The text that programs look for in what pg-pool throws; what the pool knows about it is the `cause`. */
export function inWordsOfPgPool(error: unknown): unknown {
  if (error instanceof AcquireTimeoutError) {
    return new Error(error.phase === 'connect' ? NOT_CONNECTED_IN_TIME : NOT_IN_TIME, { cause: error })
  }
  if (error instanceof PoolClosedError) return new Error(ENDED, { cause: error })
  // The server's own refusal, as pg threw it.
  if (error instanceof ConnectError) return error.cause ?? new Error(NOT_CONNECTED_IN_TIME, { cause: error })
  // The limit that pg itself keeps is the same.
  if (messageOf(error) === 'timeout expired') return new Error(NOT_CONNECTED_IN_TIME, { cause: error })
  return error
}

import {
  AcquireTimeoutError,
  ConnectError,
  OverloadError,
  type PoolError,
  QueueFullError,
} from '../../contract/errors.ts'

/** What Prisma makes a `PrismaClientKnownRequestError` of, with this code and these facts. */
class NoConnection extends Error {
  override readonly name = 'NoConnection'
  readonly code = 'P2024'
  readonly meta: object

  constructor(cause: PoolError, meta: object) {
    super(`Timed out fetching a new connection from the connection pool: ${cause.message}`, { cause })
    this.meta = meta
  }
}

/** The words by which Prisma's users tell what is wrong; what the pool knows about it is the `cause`. */
export function inWordsOfPrisma(error: unknown): unknown {
  const { cause } = (error ?? {}) as { cause?: unknown }
  // The server's own refusal, which Prisma has a code for.
  if (error instanceof ConnectError) return cause ?? error
  if (error instanceof AcquireTimeoutError) {
    if (error.phase === 'connect' && cause !== undefined) return cause
    const { waitedMs, snapshot } = error
    return new NoConnection(error, { connection_limit: snapshot.max, timeout: waitedMs / 1_000 })
  }
  if (error instanceof QueueFullError || error instanceof OverloadError) return new NoConnection(error, {})
  return error
}

import type { PoolOptions as RockpoolOptions } from '../../contract/options.ts'
import { Pool, type PoolOptions, type TarnShape } from '../tarn/index.ts'
import type { OriginalConnectionPool, TediousConnection } from './package.ts'

/** For this long after its last use a connection is taken to live without being asked, which costs a round trip. */
const ALIVE_MS = 1_000
const lastUse = new WeakMap<TediousConnection, number>()

/** The server has answered on this connection just now. */
export function used(connection: TediousConnection): void {
  if (connection) lastUse.set(connection, performance.now())
}

function isGood(owner: OriginalConnectionPool, connection: TediousConnection): boolean | Promise<boolean> {
  const idleMs = performance.now() - (lastUse.get(connection) ?? Number.NEGATIVE_INFINITY)
  const { validateAfterIdleMs = ALIVE_MS } = (owner.config.rockpool ?? {}) as RockpoolOptions
  if (idleMs < validateAfterIdleMs) return !connection.closed && connection.hasError !== true
  return owner._poolValidate(connection)
}

/** The pool that stands inside a ConnectionPool in place of tarn's, with the same options and the same calls to it. */
export function innerPoolOf(owner: OriginalConnectionPool): TarnShape<TediousConnection> {
  const { pool: options, rockpool } = owner.config
  const inner: Pool<TediousConnection> = new Pool<TediousConnection>({
    create: async () => {
      try {
        const connection = await owner._poolCreate()
        owner._healthy = true
        used(connection)
        return connection
      } catch (error) {
        if (inner.numUsed() + inner.numFree() <= 0) owner._healthy = false
        throw error
      }
    },
    validate: (connection) => isGood(owner, connection),
    destroy: (connection) => owner._poolDestroy(connection),
    onLost,
    max: 10,
    min: 0,
    idleTimeoutMillis: 30_000,
    propagateCreateError: true,
    ...(rockpool === undefined ? {} : { rockpool }),
    ...(options as Partial<PoolOptions<TediousConnection>> | undefined),
  })
  return inner
}

/** A socket that dies frees its place at once, whoever has the connection. */
function onLost(connection: TediousConnection, lost: (error: unknown) => void): void {
  connection.on('end', () => lost(new Error('the connection has ended')))
  connection.on('error', (error) => {
    if (error?.code === 'ESOCKET') lost(error)
  })
}

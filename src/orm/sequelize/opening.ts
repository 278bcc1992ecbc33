import type { Driver, ErrorClass } from '../../contract/driver.ts'
import { ConnectError } from '../../contract/errors.ts'
import type { Care } from './care/care.ts'
import { mariadbCare, mysql2Care } from './care/mysql.ts'
import { oracledbCare } from './care/oracledb.ts'
import { pgCare } from './care/pg.ts'
import { plainCare } from './care/plain.ts'
import { tediousCare } from './care/tedious.ts'
import type { Host, Target } from './host.ts'

/** How long Sequelize's own goodbye may take. */
const GOODBYE_MS = 3_000

/** What the driver of one pool needs to know. */
export interface Opening {
  readonly host: Host
  /** Taken in turn. */
  readonly targets: readonly Target[]
  readonly kind: 'read' | 'write'
  readonly unreachable: 'fail' | 'wait'
  /** Milliseconds for one connect. */
  readonly connectLimitMs: number
  /** Who is told of a connection's end, also by others than its driver. */
  readonly ends: WeakMap<object, (error: unknown) => void>
}

/** A driver that leaves connecting and goodbyes to Sequelize, and adds what its pool has never known of a connection. */
export function driverOf({
  host,
  targets,
  kind,
  unreachable,
  connectLimitMs,
  ends,
}: Opening): Driver<object> {
  const care = careFor(host)
  let turn = 0
  const driver: Driver<object> = {
    name: 'sequelize',
    async connect() {
      const target = targets[turn++ % targets.length] as Target
      const connection = await connectWithin(host, target, connectLimitMs)
      Object.assign(connection, { queryType: kind })
      await care.adopt(connection)
      return connection
    },
    close: (connection) => close(host, care, connection),
    isAlive: async (connection, { signal }) => {
      if (!host.validate(connection)) return false
      await care.isAlive(connection, signal)
      return true
    },
    isDirty: (connection) => care.isDirty?.(connection) === true || !host.validate(connection),
    classify: (error) => judge(error, { care, unreachable }),
    onLost(connection, lost) {
      ends.set(connection, lost)
      care.onLost(connection, (error) => {
        if (ends.delete(connection)) lost(error)
      })
    },
  }
  const { rollBack, ref, unref } = care
  if (rollBack !== undefined) driver.reset = async (connection) => void (await rollBack(connection))
  if (ref !== undefined && unref !== undefined) Object.assign(driver, { ref, unref })
  return driver
}

/** The pool itself would try again until the caller's time is up, where Sequelize's callers expect to be told. */
async function connectWithin(host: Host, target: Target, limitMs: number): Promise<object> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const problem = `connecting took longer than ${limitMs} ms (by connectTimeoutMs)`
    timer = setTimeout(() => reject(new ConnectError('sequelize', problem)), limitMs)
  })
  const connecting = host.connect(target)
  try {
    return await Promise.race([connecting, late])
  } catch (error) {
    connecting.then((tooLate) => host.disconnect(tooLate)).catch(() => undefined)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function careFor(host: Host): Care {
  const ask = (connection: object) => host.ask(connection)
  if (host.isNative) return plainCare(ask)
  if (host.dialect === 'postgres') return pgCare
  if (host.dialect === 'mysql') return mysql2Care
  if (host.dialect === 'mariadb') return mariadbCare
  if (host.dialect === 'mssql') return tediousCare(ask)
  return host.dialect === 'oracle' ? oracledbCare : plainCare(ask)
}

/** The hooks run, the server hears a goodbye, and a socket that does not close is destroyed. */
async function close(host: Host, care: Care, connection: object): Promise<void> {
  const timer = setTimeout(() => care.destroy(connection), GOODBYE_MS)
  try {
    await care.beforeClose(connection)
    await host.disconnect(connection)
  } finally {
    clearTimeout(timer)
    care.destroy(connection)
  }
}

/** With `fail` whoever has no connection to wait for is told at once; a server that is merely full is worth waiting for. */
function judge(
  error: unknown,
  { care, unreachable }: Pick<Opening, 'unreachable'> & { care: Care },
): ErrorClass {
  if (error instanceof ConnectError) return unreachable === 'fail' ? 'permanent' : 'fatal'
  const facts = (error ?? {}) as { cause?: unknown; parent?: unknown; name?: string }
  // Sequelize 6 calls it the parent, for which 7 has a deprecation notice.
  const found = care.classify?.(facts.cause ?? facts.parent ?? error)
  if (found === 'exhausted') return found
  const isRefused = found === 'permanent' || facts.name === 'SequelizeAccessDeniedError'
  return unreachable === 'fail' || isRefused ? 'permanent' : 'fatal'
}

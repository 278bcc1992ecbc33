import type { ResetDepth } from '../../contract/driver.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { BeginOptions, SavepointMove } from '../../contract/sql-driver.ts'
import { assertIsolation } from '../isolation.ts'
import type { Session } from '../links.ts'
import { untilAborted } from '../until-aborted.ts'
import { isCancelled } from './errors.ts'
import type { Link } from './link.ts'

/** Oracle has two levels, and calls serializable what others call snapshot. */
const LEVELS: Readonly<Record<string, string>> = {
  'read committed': 'READ COMMITTED',
  snapshot: 'SERIALIZABLE',
  serializable: 'SERIALIZABLE',
}

/** A goodbye takes no longer. */
const CLOSE_CALL_MS = 2_000

/** A transaction begins by itself; only how it is to be is said. */
async function begin(link: Link, { isolation, readOnly }: BeginOptions): Promise<void> {
  assertIsolation(isolation, LEVELS)
  if (link.hasBegun || link.connection.transactionInProgress === true)
    throw new InvalidOptionError('begin', 'a transaction is open already: commit or roll back first')
  // A read-only transaction sees one moment, whatever the level.
  if (readOnly === true) await run(link, 'SET TRANSACTION READ ONLY')
  else if (isolation !== undefined) await run(link, `SET TRANSACTION ISOLATION LEVEL ${LEVELS[isolation]}`)
  link.hasBegun = true
}

async function commit(link: Link): Promise<void> {
  await link.connection.commit()
  link.over()
}

async function rollback(link: Link): Promise<void> {
  await link.connection.rollback()
  link.over()
}

/** Oracle gives no savepoint up by itself: it goes with the transaction. */
async function savepoint(link: Link, name: string, move: SavepointMove): Promise<void> {
  if (move === 'set') await run(link, `SAVEPOINT ${name}`)
  if (move === 'rollback') await run(link, `ROLLBACK TO SAVEPOINT ${name}`)
}

function isDirty(link: Link): boolean {
  return link.isLost || link.isBusy || link.hasBegun || link.inTransaction
}

/** @throws for 'full', because no statement makes a session as after connecting: then the pool opens another connection */
async function reset(link: Link, how: ResetDepth): Promise<void> {
  await link.quiet()
  if (link.hasBegun || link.inTransaction) await rollback(link)
  if (how === 'full') throw new Error('no statement makes a session of Oracle as after connecting')
}

/** First what the server has said without being asked, then a round trip. */
async function isAlive(link: Link, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted()
  if (!link.connection.isHealthy()) return false
  await untilAborted(
    signal,
    () => link.connection.ping(),
    () => {
      link.isSilent = true
    },
  )
  return true
}

/** Stops what runs, and makes sure that the stop cannot hit what comes next: a ping takes it where it came late. */
export function cancel(link: Link): Promise<void> {
  if (!link.isRunning) return Promise.resolve()
  link.cancelling ??= stop(link).finally(() => {
    link.cancelling = undefined
  })
  return link.cancelling
}

async function stop(link: Link): Promise<void> {
  await link.connection.break()
  try {
    // The package sends it when what runs has ended.
    await link.connection.ping()
  } catch (error) {
    if (!isCancelled(error)) throw error
  }
}

async function confirmStale(link: Link): Promise<boolean> {
  const { rows = [] } = await link.connection.execute(
    `select sys_context('USERENV', 'DATABASE_ROLE') as "role" from dual`,
    [],
    { outFormat: 4002 },
  )
  return String(rows[0]?.role).includes('STANDBY')
}

/** Never rejects, and takes no longer than a call may. */
export async function close(link: Link): Promise<void> {
  link.markClosing()
  const { connection } = link
  try {
    connection.callTimeout = CLOSE_CALL_MS
    if (link.isRunning) await connection.break()
  } catch {
    // It is gone already.
  }
  const drop = link.isLost || link.isSilent || link.isBusy
  await connection.close(drop ? { drop: true } : {}).catch(() => undefined)
}

async function run(link: Link, sql: string): Promise<void> {
  await link.connection.execute(sql, [], {})
}

export const session: Session<Link> = {
  isAlive,
  isDirty,
  reset,
  confirmStale,
  begin,
  commit,
  rollback,
  savepoint,
}

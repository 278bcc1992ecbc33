import type { ResetDepth } from '../../contract/driver.ts'
import { InvalidOptionError, TransactionError } from '../../contract/errors.ts'
import type { BeginOptions, SavepointMove } from '../../contract/sql-driver.ts'
import { assertIsolation } from '../isolation.ts'
import type { Session } from '../links.ts'
import { LEVELS } from './config.ts'
import type { Link } from './link.ts'

const UNCHANGED = 0
const READ_COMMITTED = 2

async function begin(link: Link, { isolation, readOnly }: BeginOptions): Promise<void> {
  if (readOnly) {
    throw new InvalidOptionError(
      'readOnly',
      'SQL Server has no read-only transactions: leave "readOnly" out, or connect as a user who may only read',
    )
  }
  assertIsolation(isolation, LEVELS)
  if (link.connection.inTransaction) {
    throw new InvalidOptionError(
      'begin',
      'a transaction is open already, and SQL Server would count a second BEGIN without beginning anything: commit or roll back first',
    )
  }
  const level = isolation === undefined ? UNCHANGED : LEVELS[isolation]
  await link.ask((done) => link.connection.beginTransaction(done, '', level))
  link.hasBegun = true
  link.isElevated = isolation !== undefined && level !== usualLevel(link)
}

/** The isolation that sessions have by the options of tedious. */
function usualLevel({ connection }: Link): number {
  const { connectionIsolationLevel } = connection.config.options
  return typeof connectionIsolationLevel === 'number' ? connectionIsolationLevel : READ_COMMITTED
}

const NAMES = Object.fromEntries(Object.entries(LEVELS).map(([name, level]) => [level, name]))

/** The isolation of a transaction stays with the session when the transaction is over: it goes back in the same flight. */
async function end(link: Link, word: 'commit' | 'rollback'): Promise<void> {
  const { connection } = link
  if (link.isElevated) {
    const sql = `${word} transaction; set transaction isolation level ${NAMES[usualLevel(link)]}`
    await link.run(sql, (request) => connection.execSqlBatch(request))
    link.isElevated = false
  } else if (word === 'commit') await link.ask((done) => connection.commitTransaction(done))
  else await link.ask((done) => connection.rollbackTransaction(done))
}

/** COMMIT ends one BEGIN: where the work has sent more of them, nothing is committed yet. */
async function commit(link: Link): Promise<void> {
  if (link.isBusy) await link.quiet()
  link.assertWhole()
  await end(link, 'commit')
  link.hasBegun = false
  if (!link.connection.inTransaction) return
  await end(link, 'rollback')
  throw new TransactionError(
    'TRANSACTION_ABORTED',
    'the work has sent a BEGIN TRANSACTION of its own without a COMMIT, so that the transaction was rolled back',
  )
}

async function rollback(link: Link): Promise<void> {
  link.hasBegun = false
  if (link.connection.inTransaction) await end(link, 'rollback')
  else await restoreLevel(link)
}

/** The server has ended the transaction by itself, but not its isolation. */
async function restoreLevel(link: Link): Promise<void> {
  if (!link.isElevated) return
  const sql = `set transaction isolation level ${NAMES[usualLevel(link)]}`
  await link.run(sql, (request) => link.connection.execSqlBatch(request))
  link.isElevated = false
}

/** There is no RELEASE: a savepoint is forgotten with its transaction, or replaced by one of the same name. */
async function savepoint(link: Link, name: string, move: SavepointMove): Promise<void> {
  // With the transaction the savepoint is gone too: there is nothing left to undo.
  if (move === 'release' || (move === 'rollback' && link.isEnded)) return
  if (link.isBusy) await link.quiet()
  link.assertWhole()
  const { connection } = link
  await link.ask((done) => {
    if (move === 'set') connection.saveTransaction(done, name)
    else connection.rollbackTransaction(done, name)
  })
}

/** A transaction is open, or was ended by the server alone; a request is in flight, an attention not acknowledged; or all is over. */
function isDirty(link: Link): boolean {
  const { isOver, isBusy, isEnded, isElevated, connection } = link
  return isOver || isBusy || isEnded || isElevated || connection.inTransaction
}

/**
 * A full reset is the protocol's own flag on the next request, with which tedious sends its options anew: the flag does
 * not reset the isolation, those options do. The transaction is ended before, since tedious would not learn of its end.
 */
async function reset(link: Link, how: ResetDepth): Promise<void> {
  await link.quiet()
  await rollback(link)
  if (how === 'rollback') return
  await link.ask((done) => link.connection.reset(done))
  link.prepared.clear()
}

/** The server stops what it does and says so: only then the connection is free, and nothing can be hit any more. */
export async function cancel(link: Link): Promise<void> {
  if (!link.isBusy) return
  link.connection.cancel()
  await link.quiet()
}

async function isAlive(link: Link, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted()
  const stop = () => link.socket.destroy()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await link.run('select 1', (request) => link.connection.execSqlBatch(request))
    return true
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Whether the database itself takes no writes: read-only, or a secondary replica. */
async function confirmStale(link: Link): Promise<boolean> {
  let isReadOnly = false
  const sql = `select databasepropertyex(db_name(), 'Updateability') as updateability`
  await link.run(sql, (request) => {
    request.on('row', (columns: Record<string, { value: unknown }>) => {
      isReadOnly = Object.values(columns)[0]?.value === 'READ_ONLY'
    })
    link.connection.execSqlBatch(request)
  })
  return isReadOnly
}

/** TDS knows no goodbye: the session ends with its socket. */
export async function close(link: Link): Promise<void> {
  link.markClosing()
  // An idle connection may have been told not to keep the process alive; its end is worth waiting for.
  link.socket.ref?.()
  link.connection.close()
  link.socket.destroy()
  await link.closed
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

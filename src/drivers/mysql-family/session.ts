import type { ResetDepth } from '../../contract/driver.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { BeginOptions, SavepointMove } from '../../contract/sql-driver.ts'
import { assertIsolation, STANDARD_LEVELS } from '../isolation.ts'
import type { Session } from '../links.ts'
import { untilAborted } from '../until-aborted.ts'
import type { Link } from './link.ts'

async function begin(link: Link, { isolation, readOnly }: BeginOptions): Promise<void> {
  assertIsolation(isolation, STANDARD_LEVELS)
  // What shares its flight with the first statement must go out at once.
  if (!link.isShared && mayBeOpen(link) && (await link.isInTransaction())) {
    throw new InvalidOptionError(
      'begin',
      'a transaction is open already, and MySQL would commit it: commit or roll back first',
    )
  }
  // For the next transaction only; both in one flight.
  const set =
    isolation === undefined
      ? undefined
      : link.ask(`SET TRANSACTION ISOLATION LEVEL ${STANDARD_LEVELS[isolation]}`)
  link.hasBegun = true
  const how = [
    ...(isolation === 'snapshot' ? ['WITH CONSISTENT SNAPSHOT'] : []),
    ...(readOnly === undefined ? [] : [readOnly ? 'READ ONLY' : 'READ WRITE']),
  ]
  await Promise.all([set, link.ask(`START TRANSACTION ${how.join(', ')}`)])
}

/** A transaction that the server has ended by itself is no longer there to be committed, and COMMIT would not say so. */
async function commit(link: Link): Promise<void> {
  link.assertWhole()
  await link.run('COMMIT', () => link.ask('COMMIT'))
  link.hasBegun = false
}

async function rollback(link: Link): Promise<void> {
  link.hasBegun = false
  await link.ask('ROLLBACK')
}

const SAVEPOINT: Readonly<Record<SavepointMove, string>> = {
  set: 'SAVEPOINT',
  release: 'RELEASE SAVEPOINT',
  rollback: 'ROLLBACK TO SAVEPOINT',
}

async function savepoint(link: Link, name: string, move: SavepointMove): Promise<void> {
  // With the transaction the savepoint is gone too: there is nothing left to undo.
  if (move === 'rollback' && link.isEnded) return
  link.assertWhole()
  await link.ask(`${SAVEPOINT[move]} ${quote(name)}`)
}

/** A transaction is open or may be, a statement is in flight, a cancel on its way; or the connection is gone. */
function isDirty(link: Link): boolean {
  return link.isOver || link.speaker.isEnded || link.isBusy || mayBeOpen(link)
}

function mayBeOpen(link: Link): boolean {
  return link.speaker.answers.mayBeInTransaction
}

async function reset(link: Link, how: ResetDepth): Promise<void> {
  if (link.isBusy) await link.quiet()
  link.hasBegun = false
  if (how === 'full') await resetSession(link)
  else if (mayBeOpen(link)) await link.ask('ROLLBACK')
}

/**
 * COM_RESET_CONNECTION leaves things as they are not after connecting: the database of the last USE; the server's own modes
 * instead of those that were asked for at login; and on MySQL its own character set, so that texts would arrive garbled.
 */
async function resetSession(link: Link): Promise<void> {
  const { speaker, beginning } = link
  if (!(await speaker.resetSession())) await speaker.changeUser()
  const { charset = '', collation = '', sqlMode = '', database } = beginning
  if (/^\w+$/.test(charset) && /^\w+$/.test(collation) && /^[\w,]*$/.test(sqlMode))
    await link.ask(`SET NAMES ${charset} COLLATE ${collation}, sql_mode = '${sqlMode}'`)
  if (typeof database === 'string') await link.ask(`USE ${quote(database)}`)
  else if (await hasDatabase(link)) await speaker.changeUser() // no statement leaves a database
}

async function hasDatabase(link: Link): Promise<boolean> {
  const [row] = await link.ask('select database() as d')
  return row?.d !== null
}

async function isAlive(link: Link, signal: AbortSignal): Promise<boolean> {
  await untilAborted(
    signal,
    () => link.speaker.ping(),
    () => link.giveUp(),
  )
  return true
}

/**
 * Whether the server itself is read-only, by its administrator or as a replica of a cloud's; `super_read_only` switches
 * `read_only` on as well. The user's own `START TRANSACTION READ ONLY` leaves both alone.
 */
async function confirmStale(link: Link): Promise<boolean> {
  const [row = {}] = await link.ask('select @@global.read_only as s, @@global.innodb_read_only as i')
  return [row.s, row.i].some((value) => !/^(0|off)$/i.test(String(value)))
}

function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
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

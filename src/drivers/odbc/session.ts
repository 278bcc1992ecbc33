import type { ResetDepth } from '../../contract/driver.ts'
import { InvalidOptionError, TransactionError } from '../../contract/errors.ts'
import type { BeginOptions, SavepointMove } from '../../contract/sql-driver.ts'
import { assertIsolation, STANDARD_LEVELS } from '../isolation.ts'
import type { Session } from '../links.ts'
import { untilAborted } from '../until-aborted.ts'
import type { Link } from './link.ts'

async function begin(link: Link, options: BeginOptions): Promise<void> {
  const { isolation, readOnly } = options
  assertIsolation(isolation, STANDARD_LEVELS)
  const statements = link.family.begin?.(options)
  if (statements === undefined) {
    if (isolation !== undefined || readOnly === true) {
      throw new InvalidOptionError(
        'isolation',
        'nothing is known of this database but ODBC: set isolation and read-only on the connection yourself',
      )
    }
    await link.call('plain', () => link.connection.beginTransaction())
    link.begun()
    link.isNative = true
    return
  }
  link.afterwards = link.family.afterwards?.(options) ?? link.afterwards
  for (const sql of statements) await link.ask(sql, 'plain')
  link.begun()
}

/** A server that answers COMMIT by rolling back says so in a word that ODBC does not pass on: so it is asked beforehand. */
async function commit(link: Link): Promise<void> {
  link.assertWhole()
  if (link.failure !== undefined && link.family.name === 'postgres') await assertGoing(link)
  await (link.isNative
    ? link.call('freeing', () => link.connection.commit())
    : link.ask(link.family.commit ?? 'COMMIT'))
  await settle(link)
}

async function assertGoing(link: Link): Promise<void> {
  const cause = link.failure
  try {
    await link.ask('select 1')
  } catch {
    await rollback(link)
    throw new TransactionError(
      'TRANSACTION_ABORTED',
      'the transaction was rolled back: a statement in it had failed',
      { cause },
    )
  }
}

async function rollback(link: Link): Promise<void> {
  await (link.isNative
    ? link.call('freeing', () => link.connection.rollback())
    : rollBackWhatIsOpen(link, link.family.rollback))
  await settle(link)
}

/** SQLite refuses to roll back where nothing is open; ODBC's own way is for databases of which nothing is known. */
async function rollBackWhatIsOpen(link: Link, sql: string | undefined): Promise<void> {
  if (sql === undefined) return link.call('freeing', () => link.connection.rollback())
  try {
    await link.ask(sql)
  } catch (error) {
    if (
      !/no transaction is active/.test(
        String((error as { odbcErrors?: [{ message?: unknown }] }).odbcErrors?.[0]?.message),
      )
    )
      throw error
  }
}

async function settle(link: Link): Promise<void> {
  link.over()
  if (link.afterwards === undefined) return
  await link.ask(link.afterwards)
  link.afterwards = undefined
}

async function savepoint(link: Link, name: string, move: SavepointMove): Promise<void> {
  if (move === 'rollback') link.forgive()
  link.assertWhole()
  const sql = link.family.savepoint(name, move)
  if (sql !== undefined) await link.ask(sql)
}

function isDirty(link: Link): boolean {
  return link.isLost || link.isBusy || link.mayBeOpen || link.afterwards !== undefined
}

/** @throws where no statement makes the session as after connecting: then the pool opens another connection */
async function reset(link: Link, how: ResetDepth): Promise<void> {
  await link.quiet()
  if (link.mayBeOpen || link.afterwards !== undefined) await rollback(link)
  if (how === 'full') await clean(link)
}

export async function clean(link: Link): Promise<void> {
  const { clean: statements, name } = link.family
  if (statements === undefined) throw new Error(`no statement makes a session of ${name} as after connecting`)
  for (const sql of statements) await link.ask(sql)
}

async function isAlive(link: Link, signal: AbortSignal): Promise<boolean> {
  await untilAborted(
    signal,
    () => link.ask('select 1'),
    () => {
      link.isSilent = true
    },
  )
  return true
}

async function confirmStale(link: Link): Promise<boolean> {
  const { readOnly } = link.family
  if (readOnly === undefined) return false
  const [row] = await link.ask(readOnly)
  return Number(row?.yes) !== 0
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

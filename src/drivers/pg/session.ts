import type { ResetDepth } from '../../contract/driver.ts'
import { InvalidOptionError, TransactionError } from '../../contract/errors.ts'
import type { BeginOptions, Isolation, SavepointMove } from '../../contract/sql-driver.ts'
import { untilAborted } from '../until-aborted.ts'
import type { PgClient } from './client.ts'
import { linkOf } from './link.ts'
import { forgetAll, run } from './query.ts'

const ISOLATION: Readonly<Record<Isolation, string>> = {
  'read uncommitted': 'READ UNCOMMITTED',
  'read committed': 'READ COMMITTED',
  'repeatable read': 'REPEATABLE READ',
  snapshot: 'REPEATABLE READ',
  serializable: 'SERIALIZABLE',
}

export async function begin(client: PgClient, options: BeginOptions): Promise<void> {
  await run(client, beginText(options))
}

export function beginText({ isolation, readOnly }: BeginOptions): string {
  let text = 'BEGIN'
  if (isolation !== undefined) {
    if (!Object.hasOwn(ISOLATION, isolation)) {
      throw new InvalidOptionError(
        'isolation',
        `"isolation" must be one of ${Object.keys(ISOLATION).join(', ')}`,
      )
    }
    text += ` ISOLATION LEVEL ${ISOLATION[isolation]}`
  }
  if (readOnly !== undefined) text += readOnly ? ' READ ONLY' : ' READ WRITE'
  return text
}

/** The server answers the COMMIT of a failed transaction with ROLLBACK, and without an error. */
export async function commit(client: PgClient): Promise<void> {
  const { command } = await run(client, 'COMMIT')
  if (command === 'COMMIT') return
  throw new TransactionError(
    'TRANSACTION_ABORTED',
    `the server answered COMMIT with ${command}: a statement of the transaction had failed, so it was rolled back`,
  )
}

export async function rollback(client: PgClient): Promise<void> {
  await run(client, 'ROLLBACK')
}

const SAVEPOINT: Readonly<Record<SavepointMove, string>> = {
  set: 'SAVEPOINT',
  release: 'RELEASE SAVEPOINT',
  rollback: 'ROLLBACK TO SAVEPOINT',
}

export async function savepoint(client: PgClient, name: string, move: SavepointMove): Promise<void> {
  await run(client, `${SAVEPOINT[move]} "${name.replaceAll('"', '""')}"`)
}

/** A transaction is open, a statement in flight, a cancel request on its way; or the connection is not there any more. */
export function isDirty(client: PgClient): boolean {
  const link = linkOf(client)
  return link.status !== 'I' || link.isLost || link.isBusy
}

/**
 * What the server reports tells whether there is anything to roll back; nothing is sent for nothing. DISCARD ALL brings
 * settings back to what the startup message said, `application_name` included.
 */
export async function reset(client: PgClient, how: ResetDepth): Promise<void> {
  const link = linkOf(client)
  if (link.isBusy) await link.quiet()
  if (link.status !== 'I') await run(client, 'ROLLBACK')
  if (how === 'rollback') return
  await run(client, 'DISCARD ALL')
  forgetAll(client)
}

/** An empty statement: the server answers without planning or executing anything, in a failed transaction too. */
export async function isAlive(client: PgClient, signal: AbortSignal): Promise<boolean> {
  await untilAborted(
    signal,
    () => run(client, ''),
    () => linkOf(client).giveUp(),
  )
  return true
}

// Set by the session itself (`SET`, a role's or a database's own default) it says nothing of the server.
const IS_READ_ONLY = `select pg_catalog.pg_is_in_recovery() or exists (
  select from pg_catalog.pg_settings where name = 'default_transaction_read_only' and setting = 'on'
  and source in ('configuration file', 'command line', 'environment variable')) as yes`

/**
 * Whether the server itself is read-only: a standby, or a primary told so by its administrator. The user's own
 * `BEGIN READ ONLY` gets the same error 25006 and is no reason to distrust the server, hence not
 * `show transaction_read_only`. A failed transaction answers no question, and to end it is not ours; there we know only
 * what the server reports by itself (a standby does, from PostgreSQL 14 on) and otherwise say no: asked again after the
 * rollback, or by the next write outside a transaction, we can tell.
 */
export async function confirmStale(client: PgClient): Promise<boolean> {
  const link = linkOf(client)
  if (link.settings.get('in_hot_standby') === 'on') return true
  if (link.status === 'E') return false
  const { rows } = await run(client, IS_READ_ONLY)
  return rows[0]?.yes === true
}

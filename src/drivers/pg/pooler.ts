import { isSurelyPooler, type PgClient } from './client.ts'
import { losesNames } from './errors.ts'
import { linkOf } from './link.ts'
import { run } from './query.ts'

/**
 * A name that the session does not know was either deallocated there, which DISCARD ALL of the user does as well, or made
 * in another session. The server told the number of its process at login: where a pooler answered instead, as PgBouncer
 * and its kin do, it is not that of the process that executes our statements.
 */
export async function confirmPooler(client: PgClient, error: unknown): Promise<boolean> {
  const { processID } = client
  if (!losesNames(error) || processID === null) return false
  // Enough to know where nothing can be asked, in a failed transaction.
  if (isSurelyPooler(client)) return true
  if (linkOf(client).status === 'E') return false
  const { rows } = await run(client, 'select pg_catalog.pg_backend_pid() as pid')
  return Number(rows[0]?.pid) !== processID
}

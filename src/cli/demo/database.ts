import { randomBytes } from 'node:crypto'
import { InvalidOptionError, messageOf, PoolError } from '../../contract/errors.ts'
import type { SqlDriver } from '../../contract/sql-driver.ts'
import { type PgConfig, pg } from '../../drivers/pg/index.ts'
import { splitPoolParams } from '../../drivers/pool-params.ts'
import { startEmbeddedPostgres } from '../../testing/embedded-postgres.ts'
import type { Cleanup } from '../cleanup.ts'
import { UsageError } from '../command-line.ts'

/** Where the demo plays. */
export interface Database {
  /** Whose it is: `own` was started for the demo. */
  readonly kind: 'own' | 'given'
  /** Names the demo's connections on the server; different in every run. */
  readonly application: string
  /** A driver whose connections bear this name. */
  driver(application: string): SqlDriver<unknown>
}

const CONNECT_LIMIT_MS = 10_000

/** The user's database, or one that is started now. @throws UsageError for a URL that cannot be one */
export async function openDatabase(url: string | undefined, cleanup: Cleanup): Promise<Database> {
  const application = `rockpool-demo-${randomBytes(4).toString('hex')}`
  return url === undefined ? startOwn(application, cleanup) : useGiven(application, url)
}

async function startOwn(application: string, cleanup: Cleanup): Promise<Database> {
  const password = randomBytes(16).toString('hex')
  const starting = startEmbeddedPostgres({ password, settings: { scram_iterations: 64 } })
  cleanup.add(async () => (await starting.catch(() => undefined))?.close())
  const { host, port, user } = await starting
  // Complete, so that nothing comes from an environment that is meant for another server.
  const config: PgConfig = { host, port, user, password, database: 'postgres', ssl: false }
  const driver = (name: string) => pg({ ...config, application_name: name }) as SqlDriver<unknown>
  await makeLoginCheap(driver(application), password)
  return { kind: 'own', application, driver }
}

/**
 * Thousands of rounds of hashing protect a password that somebody has chosen; a random one needs few. What a connection
 * costs without a pool is then not exaggerated by our two programs computing on the same processor.
 */
async function makeLoginCheap(driver: SqlDriver<unknown>, password: string): Promise<void> {
  const connection = await driver.connect({ signal: AbortSignal.timeout(CONNECT_LIMIT_MS) })
  try {
    await driver.query(connection, `alter role current_user password '${password}'`, [], {})
  } finally {
    await driver.close(connection)
  }
}

function useGiven(application: string, url: string): Database {
  if (!/^postgres(ql)?:/i.test(url)) {
    throw new UsageError('--url must begin with postgres:// or postgresql://: the demo speaks to PostgreSQL')
  }
  // The last parameter of a name counts.
  const separator = url.includes('?') ? '&' : '?'
  const driver = (name: string) => pg(`${url}${separator}application_name=${name}`) as SqlDriver<unknown>
  try {
    const [option] = Object.keys(splitPoolParams(url).pool)
    if (option !== undefined)
      throw new UsageError(`--url has pool.${option}: the demo chooses such options itself`)
    driver(application)
  } catch (error) {
    throw error instanceof InvalidOptionError ? new UsageError(`--url: ${error.message}`) : error
  }
  return { kind: 'given', application, driver }
}

/**
 * Connects once, so that what is wrong is said at once and in the server's own words.
 * @throws Error
 */
export async function assertReachable(database: Database, signal: AbortSignal): Promise<void> {
  const driver = database.driver(database.application)
  const timeout = AbortSignal.timeout(CONNECT_LIMIT_MS)
  try {
    const connection = await driver.connect({ signal: AbortSignal.any([signal, timeout]) })
    await driver.close(connection)
  } catch (error) {
    if (error instanceof PoolError) throw error
    const problem = timeout.aborted ? `no answer within ${CONNECT_LIMIT_MS / 1000} s` : messageOf(error)
    throw new Error(`cannot connect: ${problem}`, { cause: error })
  }
}

import { InvalidOptionError, PoolError } from '../../contract/errors.ts'
import type { SqlDriver } from '../../contract/sql-driver.ts'
import { givenPackage } from '../given-package.ts'
import { loadPackage } from '../load-package.ts'
import { type Dialect, type MysqlConfig, resolveConfig } from '../mysql-family/config.ts'
import { familyDriver, type Package } from '../mysql-family/family.ts'
import { linkOf } from '../mysql-family/link.ts'
import { innerOf, type MariadbConnection, type MariadbModule } from './client.ts'
import { query, stream } from './query.ts'
import { MariadbSpeaker } from './speaker.ts'

const DIALECT: Dialect = {
  tls: {
    authority: { rejectUnauthorized: true, checkServerIdentity: () => undefined },
    identity: { rejectUnauthorized: true },
  },
  // The pool has a limit of its own for connecting; and a parameter, which may be a password, has no place in a message.
  defaults: { connectTimeout: 0, logParam: false },
}

/**
 * MariaDB and MySQL by the `mariadb` package: `mariadb('mariadb://...')`, `mariadb({ host, user, password: () => token() })`.
 * The package is loaded at the first connect, or passed as `module`, which also gives leases its types and is needed where
 * a bundler has taken it in.
 * @throws InvalidOptionError for a malformed URL or an impossible config
 */
export function mariadb<C = MariadbConnection>(
  config: string | URL | MysqlConfig,
  options: { module?: MariadbModule<C> } = {},
): SqlDriver<C> {
  const target = resolveConfig('mariadb', config, DIALECT)
  const given = options.module === undefined ? undefined : creatorOf(options.module)
  const maria: Package<MariadbSpeaker> = {
    name: 'mariadb',
    async connect(options, { dial, own, plug }) {
      const make = given ?? creatorOf(loadPackage('mariadb'))
      const stream = own === undefined ? dial : (answer: Answer) => viaOwn(own, plug, answer)
      const connection = await create(make, { ...options, stream })
      return { connection, speaker: new MariadbSpeaker(connection, innerOf(connection)) }
    },
    query,
    stream,
  }
  const driver: SqlDriver<object> = { ...familyDriver(maria, target), pipeline }
  return driver as unknown as SqlDriver<C>
}

type Create = (config: object) => PromiseLike<MariadbConnection>
type Answer = (error: unknown, stream?: unknown) => void

/** The user's function gives a socket, or calls back with one. */
function viaOwn(
  own: (...args: unknown[]) => unknown,
  plug: (stream: unknown) => unknown,
  answer: Answer,
): unknown {
  const made = own((error: unknown, stream: unknown) => (error ? answer(error) : answer(null, plug(stream))))
  return made === undefined || made === null ? undefined : plug(made)
}

function creatorOf(given: unknown): Create {
  const functions = ['createConnection'] as const
  return givenPackage<{ createConnection: Create }>(given, { called: '"mariadb" package', functions })
    .createConnection
}

async function create(make: Create, options: object): Promise<MariadbConnection> {
  const made = make(options)
  if (typeof made?.then !== 'function') {
    throw new InvalidOptionError('module', '"module" is "mariadb/callback": it must be the "mariadb" package')
  }
  try {
    return await made
  } catch (error) {
    // What it refuses before it has tried is about the options.
    if (!(error instanceof RangeError) || error instanceof PoolError) throw error
    throw new InvalidOptionError('config', `mariadb refuses its options: ${error.message}`, { cause: error })
  }
}

/** The package pipelines by itself, unless its options forbid it: all that is sent at once is answered in order. */
function pipeline(connection: object, on: boolean): void {
  const link = linkOf(connection)
  const { canPipeline, isBusy } = link.speaker as MariadbSpeaker
  if (!canPipeline) {
    throw new InvalidOptionError(
      'multiplex',
      'the options of mariadb forbid to share a connection: "pipelining" is false, or "permitLocalInfile" true',
    )
  }
  if (isBusy) throw new TypeError('a connection is shared, or no longer shared, while nothing is in flight')
  link.isShared = on
}

import { InvalidOptionError, PoolError } from '../../contract/errors.ts'
import type { SqlDriver } from '../../contract/sql-driver.ts'
import { givenPackage } from '../given-package.ts'
import { loadPackage } from '../load-package.ts'
import { type Dialect, type MysqlConfig, resolveConfig } from '../mysql-family/config.ts'
import { familyDriver, type Package } from '../mysql-family/family.ts'
import type { Core, Mysql2Connection, Mysql2Module } from './core.ts'
import { query, stream } from './query.ts'
import { Mysql2Speaker, type Server } from './speaker.ts'

const DIALECT: Dialect = {
  tls: {
    authority: { rejectUnauthorized: true, verifyIdentity: false },
    identity: { rejectUnauthorized: true, verifyIdentity: true },
  },
  // The pool has a limit of its own for connecting.
  defaults: { connectTimeout: 0 },
}

/**
 * MySQL and MariaDB by the `mysql2` package: `mysql2('mysql://...')`, `mysql2({ host, user, password: () => token() })`.
 * The package is loaded at the first connect, and leases then have the connections of `mysql2/promise`; or it is passed as
 * `module`, `mysql2` or `mysql2/promise`, which also gives leases its types and is needed where a bundler has taken it in.
 * @throws InvalidOptionError for a malformed URL or an impossible config
 */
export function mysql2<C = Mysql2Connection>(
  config: string | URL | MysqlConfig,
  options: { module?: Mysql2Module<C> } = {},
): SqlDriver<C> {
  const target = resolveConfig('mysql2', config, DIALECT)
  const given = options.module === undefined ? undefined : creatorOf(options.module)
  const server: Server = { lacksReset: false }
  const mysql: Package<Mysql2Speaker> = {
    name: 'mysql2',
    async connect(options, { dial, own, plug }) {
      const make = given ?? creatorOf(loadPackage('mysql2'))
      // MySQL before 5.7.3 has a bug that lets no connection log in anew which has once sent attributes.
      const flags = server.lacksReset ? { flags: [...flagsOf(options.flags), '-CONNECT_ATTRS'] } : {}
      const socket = own === undefined ? dial : (facts: unknown) => plug(own(facts))
      const made = create(make, { ...options, ...flags, stream: socket })
      const isCore = !('then' in made)
      const connection = isCore ? await connected(made as Core) : await (made as PromiseLike<object>)
      const core = coreOf(connection)
      const shown = isCore && given === undefined ? (core.promise?.() ?? core) : connection
      return { connection: shown, speaker: new Mysql2Speaker(core, server) }
    },
    query,
    stream,
  }
  return familyDriver(mysql, target) as unknown as SqlDriver<C>
}

type Create = (config: object) => object

function creatorOf(given: unknown): Create {
  const functions = ['createConnection'] as const
  return givenPackage<{ createConnection: Create }>(given, {
    called: '"mysql2" package, or "mysql2/promise"',
    functions,
  }).createConnection
}

/** What mysql2 throws at once is about the options. */
function create(make: Create, options: object): object {
  try {
    return make(options)
  } catch (error) {
    if (error instanceof PoolError) throw error
    throw new InvalidOptionError('config', `mysql2 refuses its options: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

function connected(core: Core): Promise<Core> {
  // Errors that come later would end the process if nobody listened.
  core.on('error', () => undefined)
  return new Promise((resolve, reject) => {
    core.once('connect', () => resolve(core))
    core.once('error', reject)
  })
}

function coreOf(connection: object): Core {
  const { connection: inner } = connection as { connection?: unknown }
  const core = (inner ?? connection) as Core
  if (typeof core.handlePacket === 'function' && core._commands !== undefined) return core
  throw new InvalidOptionError('module', 'this version of mysql2 is not supported: 3.0 or newer is')
}

function flagsOf(given: unknown): unknown[] {
  if (Array.isArray(given)) return given
  return typeof given === 'string' && given !== '' ? given.split(/\s*,+\s*/) : []
}

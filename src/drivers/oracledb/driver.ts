import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlDriver } from '../../contract/sql-driver.ts'
import { loadPackage } from '../load-package.ts'
import type { OracleConnection, OracleModule, OraclePackage } from './client.ts'
import { type OracleConfig, resolveConfig, type Target } from './config.ts'
import { DrcpRider } from './drcp.ts'
import { classify, isFarewell } from './errors.ts'
import { Link, linkOf } from './link.ts'
import { optionsFor, query, stream } from './query.ts'
import {
  begin,
  cancel,
  close,
  commit,
  confirmStale,
  isAlive,
  isDirty,
  reset,
  rollback,
  savepoint,
} from './session.ts'

/**
 * Oracle Database by the `oracledb` package: `oracledb('oracle://app:secret@host:1521/service')`,
 * `oracledb({ user, password: () => token(), connectString })`. The package is loaded at the first connect, or passed as
 * `module`, which also gives leases its types.
 * @throws InvalidOptionError for a malformed URL or an impossible config
 */
export function oracledb<C = OracleConnection>(
  config: string | URL | OracleConfig,
  options: { module?: OracleModule<C> } = {},
): SqlDriver<C> {
  const connector = new Connector(resolveConfig(config), options.module)
  const driver: SqlDriver<OracleConnection> = {
    name: 'oracledb',
    connect: ({ signal }) => connector.connect(signal),
    close: (connection) => connector.close(connection),
    isAlive: (connection, { signal }) => isAlive(linkOf(connection), signal),
    isDirty: (connection) => isDirty(linkOf(connection)),
    reset: (connection, how) => reset(linkOf(connection), how),
    classify,
    isFarewell,
    inTransaction: (connection) => linkOf(connection).hasBegun || linkOf(connection).inTransaction,
    confirmStale: (connection) => confirmStale(linkOf(connection)),
    onLost: (connection, lost) => linkOf(connection).onLost(lost),
    placeholder: (position) => `:${position}`,
    query: (connection, sql, params) => query(linkOf(connection), { sql, params }, connector.options),
    begin: (connection, how) => begin(linkOf(connection), how),
    commit: (connection) => commit(linkOf(connection)),
    rollback: (connection) => rollback(linkOf(connection)),
    savepoint: (connection, name, move) => savepoint(linkOf(connection), name, move),
    stream: (connection, sql, params, { batch }) =>
      stream(linkOf(connection), { sql, params, batch }, connector.options),
    cancel: (connection) => cancel(linkOf(connection)),
  }
  return driver as unknown as SqlDriver<C>
}

/** Opens and closes the connections of one driver. */
class Connector {
  readonly #target: Target
  readonly #given: OraclePackage | undefined
  #rider: DrcpRider | undefined
  #options: object | undefined

  constructor(target: Target, given: unknown) {
    this.#target = target
    this.#given = given === undefined ? undefined : packageOf(given)
  }

  get options(): object {
    this.#options ??= optionsFor(this.#module, this.#target.lobsAsValues)
    return this.#options
  }

  /** The package cannot abort an attempt: it ends by `connectTimeout`, and what comes of it late is closed by the pool. */
  async connect(signal: AbortSignal): Promise<OracleConnection> {
    signal.throwIfAborted()
    const connection = await this.#open(signal)
    new Link(connection)
    if (this.#target.callTimeout > 0) connection.callTimeout = this.#target.callTimeout
    return connection
  }

  async close(connection: OracleConnection): Promise<void> {
    await close(linkOf(connection))
    this.#rider?.closed()
  }

  async #open(signal: AbortSignal): Promise<OracleConnection> {
    if (this.#target.drcp !== undefined) {
      this.#rider ??= new DrcpRider(this.#module, this.#target)
      return this.#rider.connect()
    }
    const attributes = await this.#target.attributes()
    signal.throwIfAborted()
    return this.#module.getConnection(attributes as never)
  }

  get #module(): OraclePackage {
    return this.#given ?? packageOf(loadPackage('oracledb'))
  }
}

/** The user may have `import oracledb from 'oracledb'` or `import * as oracledb from 'oracledb'`. */
function packageOf(module: unknown): OraclePackage {
  const { getConnection, default: inner } = (module ?? {}) as { getConnection?: unknown; default?: unknown }
  if (typeof getConnection === 'function') return module as OraclePackage
  if (typeof (inner as { getConnection?: unknown } | undefined)?.getConnection === 'function')
    return inner as OraclePackage
  throw new InvalidOptionError('module', `"module" is ${show(module)}: it must be the "oracledb" package`)
}

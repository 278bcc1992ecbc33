import type { SqlDriver } from '../../contract/sql-driver.ts'
import { givenPackage } from '../given-package.ts'
import { loadPackage } from '../load-package.ts'
import type { OracleConnection, OracleModule, OraclePackage } from './client.ts'
import { type OracleConfig, resolveConfig, type Target } from './config.ts'
import { DrcpRider } from './drcp.ts'
import { classify, isFarewell } from './errors.ts'
import { Link, linkOf, links } from './link.ts'
import { optionsFor, query, stream } from './query.ts'
import { cancel, close, session } from './session.ts'

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
    ...links.perform(session),
    connect: ({ signal }) => connector.connect(signal),
    close: (connection) => connector.close(connection),
    classify,
    isFarewell,
    inTransaction: (connection) => linkOf(connection).hasBegun || linkOf(connection).inTransaction,
    placeholder: (position) => `:${position}`,
    query: (connection, sql, params) => query(linkOf(connection), { sql, params }, connector.options),
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
    // Always: a session that comes from the package's pool still has the limit of its goodbye.
    connection.callTimeout = this.#target.callTimeout
    return connection
  }

  async close(connection: OracleConnection): Promise<void> {
    await close(linkOf(connection))
    this.#rider?.closed(connection)
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

function packageOf(given: unknown): OraclePackage {
  return givenPackage<OraclePackage>(given, { called: '"oracledb" package', functions: ['getConnection'] })
}

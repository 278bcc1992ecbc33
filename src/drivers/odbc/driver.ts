import type { SqlDialect, SqlDriver } from '../../contract/sql-driver.ts'
import type { OdbcConnection, OdbcModule } from './client.ts'
import { type OdbcConfig, resolveConfig } from './config.ts'
import { Connector } from './connector.ts'
import { classify, isFarewell } from './errors.ts'
import { linkOf } from './link.ts'
import { query, stream } from './query.ts'
import { begin, commit, confirmStale, isAlive, isDirty, reset, rollback, savepoint } from './session.ts'

/**
 * Any database with an ODBC driver, by the `odbc` package: `odbc('odbc:DSN=shop')`,
 * `odbc({ connectionString: 'Driver={PostgreSQL Unicode};Server=...' })`. The package is loaded at the first connect, or
 * passed as `module`, which also gives leases its types.
 * @throws InvalidOptionError for a malformed connection string or an impossible config
 */
export function odbc<C = OdbcConnection>(
  config: string | OdbcConfig,
  options: { module?: OdbcModule<C> } = {},
): SqlDriver<C> {
  const target = resolveConfig(config)
  const connector = new Connector(target, options.module)
  const dialect = dialectOf(target.family)
  const driver: SqlDriver<OdbcConnection> = {
    name: 'odbc',
    ...(dialect !== undefined && { dialect }),
    connect: ({ signal }) => connector.connect(signal),
    close: (connection) => connector.close(connection),
    isAlive: (connection, { signal }) => isAlive(linkOf(connection), signal),
    isDirty: (connection) => isDirty(linkOf(connection)),
    reset: (connection, how) => reset(linkOf(connection), how),
    classify,
    isFarewell,
    inTransaction: (connection) => linkOf(connection).mayBeOpen,
    confirmStale: (connection) => confirmStale(linkOf(connection)),
    onLost: (connection, lost) => linkOf(connection).onLost(lost),
    query: (connection, sql, params) => query(linkOf(connection), sql, params),
    begin: (connection, options) => begin(linkOf(connection), options),
    commit: (connection) => commit(linkOf(connection)),
    rollback: (connection) => rollback(linkOf(connection)),
    savepoint: (connection, name, move) => savepoint(linkOf(connection), name, move),
    stream: (connection, sql, params, { batch }) => stream(linkOf(connection), { sql, params, batch }),
    cancel: (connection) => connector.cancel(connection),
  }
  return driver as unknown as SqlDriver<C>
}

function dialectOf(family: string | undefined): SqlDialect | undefined {
  return family === 'postgres' || family === 'mysql' || family === 'sqlite' ? family : undefined
}

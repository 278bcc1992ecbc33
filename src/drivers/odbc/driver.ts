import type { SqlDialect, SqlDriver } from '../../contract/sql-driver.ts'
import type { OdbcConnection, OdbcModule } from './client.ts'
import { type OdbcConfig, resolveConfig } from './config.ts'
import { Connector } from './connector.ts'
import { classify, isFarewell } from './errors.ts'
import { linkOf, links } from './link.ts'
import { query, stream } from './query.ts'
import { session } from './session.ts'

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
    ...links.perform(session),
    connect: ({ signal }) => connector.connect(signal),
    close: (connection) => connector.close(connection),
    classify,
    isFarewell,
    inTransaction: (connection) => linkOf(connection).mayBeOpen,
    query: (connection, sql, params) => query(linkOf(connection), sql, params),
    stream: (connection, sql, params, { batch }) => stream(linkOf(connection), { sql, params, batch }),
    cancel: (connection) => connector.cancel(connection),
  }
  return driver as unknown as SqlDriver<C>
}

function dialectOf(family: string | undefined): SqlDialect | undefined {
  return family === 'postgres' || family === 'mysql' || family === 'sqlite' ? family : undefined
}

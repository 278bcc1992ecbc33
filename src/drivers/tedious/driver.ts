import type { SqlDriver } from '../../contract/sql-driver.ts'
import { loadPackage } from '../load-package.ts'
import type { TediousConnection, TediousModule } from './client.ts'
import { resolveConfig, type TediousConfig } from './config.ts'
import { classify, isFarewell, isStalePlan } from './errors.ts'
import { linkOf, links } from './link.ts'
import { open, packageOf } from './open.ts'
import { query } from './query.ts'
import { cancel, close, session } from './session.ts'
import { stream } from './stream.ts'

/**
 * SQL Server and Azure SQL by the `tedious` package: `tedious('sqlserver://...')`, `tedious({ server, user, password })`.
 * The package is loaded at the first connect, or passed as `module`, which also gives leases its types and is needed where
 * a bundler has taken it in.
 * @throws InvalidOptionError for a malformed URL or an impossible config
 */
export function tedious<C = TediousConnection>(
  config: string | URL | TediousConfig,
  options: { module?: TediousModule<C> } = {},
): SqlDriver<C> {
  const target = resolveConfig(config)
  const given = options.module === undefined ? undefined : packageOf(options.module)
  const driver: SqlDriver<TediousConnection> = {
    name: 'tedious',
    ...links.perform(session),
    preparesByName: true,
    placeholder: (position) => `@p${position}`,
    connect: ({ signal }) => open(given ?? packageOf(loadPackage('tedious')), target, signal),
    close: (connection) => close(linkOf(connection)),
    classify,
    isFarewell,
    isStalePlan,
    inTransaction: (connection) => connection.inTransaction,
    ref: (connection) => void linkOf(connection).socket.ref?.(),
    unref: (connection) => void linkOf(connection).socket.unref?.(),
    query: (connection, sql, params, { name }) => query(linkOf(connection), { sql, params, name }),
    stream: (connection, sql, params, { batch }) => stream(linkOf(connection), { sql, params, batch }),
    cancel: (connection) => cancel(linkOf(connection)),
  }
  return driver as unknown as SqlDriver<C>
}

import type { SqlDriver } from '../../contract/sql-driver.ts'
import { loadPackage } from '../load-package.ts'
import type { TediousConnection, TediousModule } from './client.ts'
import { resolveConfig, type TediousConfig } from './config.ts'
import { classify, isFarewell, isStalePlan } from './errors.ts'
import { linkOf } from './link.ts'
import { open, packageOf } from './open.ts'
import { query } from './query.ts'
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
    preparesByName: true,
    placeholder: (position) => `@p${position}`,
    connect: ({ signal }) => open(given ?? packageOf(loadPackage('tedious')), target, signal),
    close: (connection) => close(linkOf(connection)),
    isAlive: (connection, { signal }) => isAlive(linkOf(connection), signal),
    isDirty: (connection) => isDirty(linkOf(connection)),
    reset: (connection, how) => reset(linkOf(connection), how),
    classify,
    isFarewell,
    isStalePlan,
    inTransaction: (connection) => connection.inTransaction,
    confirmStale: (connection) => confirmStale(linkOf(connection)),
    onLost: (connection, lost) => linkOf(connection).onLost(lost),
    ref: (connection) => void linkOf(connection).socket.ref?.(),
    unref: (connection) => void linkOf(connection).socket.unref?.(),
    query: (connection, sql, params, { name }) => query(linkOf(connection), { sql, params, name }),
    begin: (connection, how) => begin(linkOf(connection), how),
    commit: (connection) => commit(linkOf(connection)),
    rollback: (connection) => rollback(linkOf(connection)),
    savepoint: (connection, name, move) => savepoint(linkOf(connection), name, move),
    stream: (connection, sql, params, { batch }) => stream(linkOf(connection), { sql, params, batch }),
    cancel: (connection) => cancel(linkOf(connection)),
  }
  return driver as unknown as SqlDriver<C>
}

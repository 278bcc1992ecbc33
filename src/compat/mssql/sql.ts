import { adopt, connectionPoolOf, type RockpoolConnectionPoolClass } from './connection-pool.ts'
import { type MssqlPackage, type OriginalConnectionPool, packageOf } from './package.ts'

type TypeNames =
  | 'VarChar'
  | 'NVarChar'
  | 'Text'
  | 'Int'
  | 'BigInt'
  | 'TinyInt'
  | 'SmallInt'
  | 'Bit'
  | 'Float'
  | 'Numeric'
  | 'Decimal'
  | 'Real'
  | 'Date'
  | 'DateTime'
  | 'DateTime2'
  | 'DateTimeOffset'
  | 'SmallDateTime'
  | 'Time'
  | 'UniqueIdentifier'
  | 'SmallMoney'
  | 'Money'
  | 'Binary'
  | 'VarBinary'
  | 'Image'
  | 'Xml'
  | 'Char'
  | 'NChar'
  | 'NText'
  | 'TVP'
  | 'UDT'
  | 'Geography'
  | 'Geometry'
  | 'Variant'

/** What the package has beyond what its types tell. */
type Untold = { readonly [K in TypeNames as Uppercase<K>]: MssqlPackage[K] } & {
  readonly CHANNELS: Readonly<Record<string, string>>
  readonly valueHandler: Map<unknown, (value: unknown) => unknown>
  readonly on: Listen
  readonly off: Listen
  readonly removeListener: Listen
  readonly close: (callback?: (error?: unknown) => void) => Promise<unknown> | null
  readonly batch: MssqlPackage['query']
  readonly getTypeByValue: (value: unknown) => unknown
}

/** The package `mssql` with another class in the place of `ConnectionPool`. */
export type RockpoolMssql = Omit<MssqlPackage, 'ConnectionPool'> &
  Untold & { readonly ConnectionPool: RockpoolConnectionPoolClass }

/** Of the global pool, now and later. */
type Listen = (event: string, listener: (...facts: never[]) => void) => unknown
type Connected = (error?: Error, pool?: OriginalConnectionPool) => void
type Connect = (config: unknown, callback: Connected) => OriginalConnectionPool

/**
 * The user's mssql, with rockpool in its ConnectionPool and behind its global `connect()`. Nothing of it is changed for others.
 * @throws InvalidOptionError, DriverMissingError
 */
export function rockpoolMssql(module?: unknown): RockpoolMssql {
  const mssql = packageOf(module)
  const ConnectionPool = connectionPoolOf(mssql)
  const connect = (config: unknown, callback?: Connected): unknown => {
    const start = (done: Connected) => {
      const pool = (mssql.connect as unknown as Connect)(config, done)
      adopt(pool, ConnectionPool)
      return pool
    }
    if (typeof callback === 'function') return start(callback)
    const { Promise: Chosen } = mssql as unknown as { Promise: PromiseConstructor }
    return new Chosen((resolve, reject) => {
      start((error, pool) => (error ? reject(error) : resolve(pool)))
    })
  }
  // With their accessors: `sql.Promise = Bluebird` is meant for the package.
  const sql = Object.create(null, Object.getOwnPropertyDescriptors(mssql))
  Object.setPrototypeOf(sql, Object.prototype)
  for (const [name, value] of Object.entries({ ConnectionPool, connect })) {
    Object.defineProperty(sql, name, { value, enumerable: true, configurable: true, writable: true })
  }
  return sql as RockpoolMssql
}

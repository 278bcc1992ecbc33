import { InvalidOptionError } from '../contract/errors.ts'
import type { SqlPool } from '../contract/sql.ts'
import type { SqlDialect } from '../contract/sql-driver.ts'

/** What this pool speaks. @throws InvalidOptionError for what is no pool of SQL, or does not say */
export function dialectOf(pool: SqlPool<unknown> | undefined, adapter: string): SqlDialect {
  const { acquire, query, dialect, name } = (pool ?? {}) as Partial<SqlPool>
  if (typeof acquire !== 'function' || typeof query !== 'function') {
    const problem = `${adapter} wants a pool made by createPool, such as createPool(pg(config))`
    throw new InvalidOptionError('pool', problem)
  }
  if (dialect !== undefined) return dialect
  throw new InvalidOptionError(
    'pool',
    `pool "${name}" does not say which SQL it speaks: its driver must have "dialect", one of postgres, mysql, sqlite`,
  )
}

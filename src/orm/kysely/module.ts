import type * as Kysely from 'kysely'
import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import { loadPackage } from '../../drivers/load-package.ts'

/** What of the `kysely` package is used: how it writes statements, and how it reads a schema. */
export type KyselyModule = Pick<
  typeof Kysely,
  | 'PostgresAdapter'
  | 'PostgresIntrospector'
  | 'PostgresQueryCompiler'
  | 'MysqlAdapter'
  | 'MysqlIntrospector'
  | 'MysqlQueryCompiler'
  | 'SqliteAdapter'
  | 'SqliteIntrospector'
  | 'SqliteQueryCompiler'
> &
  // Older ones have none.
  Partial<Pick<typeof Kysely, 'AbortedTransactionError'>>

/** The user's own copy, or the one that is found from here. @throws InvalidOptionError, DriverMissingError */
export function kyselyOf(given: KyselyModule | undefined): KyselyModule {
  const { PostgresAdapter, default: inner } = (given ?? {}) as Partial<KyselyModule> & {
    default?: KyselyModule
  }
  if (given === undefined) return loadPackage('kysely') as KyselyModule
  if (PostgresAdapter !== undefined) return given
  if (inner?.PostgresAdapter !== undefined) return inner
  throw new InvalidOptionError(
    'kysely',
    `"kysely" is ${show(given)}: it must be the "kysely" package, import * as kysely from 'kysely'`,
  )
}

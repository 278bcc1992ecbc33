import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlDialect } from '../../contract/sql-driver.ts'
import { loadPackage } from '../../drivers/load-package.ts'

/** One of Prisma's own adapters: `PrismaPg` of `@prisma/adapter-pg`, `PrismaMariaDb` of `@prisma/adapter-mariadb`. */
export type PrismaAdapterClass = new (pool: never, options?: never) => { connect(): Promise<unknown> }

/** What such a class makes for a client, as far as we look at it. */
interface Adapter {
  /** The pool that it uses. */
  underlyingDriver?(): unknown
  dispose(): Promise<void>
}

/** What makes adapters. */
export interface Maker {
  readonly provider: 'postgres' | 'mysql'
  readonly adapterName: string
  connect(): Promise<Adapter>
}

/** Prisma's own adapter for one SQL. */
export interface Kind {
  readonly name: string
  readonly provider: Maker['provider']
  readonly package: string
}

const KINDS: Partial<Record<SqlDialect, Kind>> = {
  postgres: { name: 'PrismaPg', provider: 'postgres', package: '@prisma/adapter-pg' },
  mysql: { name: 'PrismaMariaDb', provider: 'mysql', package: '@prisma/adapter-mariadb' },
}

/** @throws InvalidOptionError where Prisma has one connection, and no pool */
export function kindOf(dialect: SqlDialect): Kind {
  const kind = KINDS[dialect]
  if (kind !== undefined) return kind
  const problem = `Prisma's adapters for ${dialect} have one connection: there is no place for a pool`
  throw new InvalidOptionError('pool', problem)
}

/** The user's own copy, or the one that is found from here. @throws InvalidOptionError, DriverMissingError */
export function adapterClass(
  { name, package: from }: Kind,
  given: unknown,
): new (
  pool: unknown,
  options: object,
) => Maker {
  const found = given ?? (loadPackage(from) as Record<string, unknown>)[name]
  if (typeof found === 'function') return found as ReturnType<typeof adapterClass>
  const problem = `"adapter" is ${show(found)}: it must be the class ${name}, import { ${name} } from '${from}'`
  throw new InvalidOptionError('adapter', problem)
}

import { assertOption, oneOf } from '../contract/check.ts'
import type { Isolation } from '../contract/sql-driver.ts'

/** In the standard's words, where a snapshot is what a server makes of REPEATABLE READ. */
export const STANDARD_LEVELS: Readonly<Record<Isolation, string>> = {
  'read uncommitted': 'READ UNCOMMITTED',
  'read committed': 'READ COMMITTED',
  'repeatable read': 'REPEATABLE READ',
  snapshot: 'REPEATABLE READ',
  serializable: 'SERIALIZABLE',
}

/** @throws InvalidOptionError for a level that is not among these */
export function assertIsolation(isolation: unknown, levels: Readonly<Record<string, unknown>>): void {
  if (isolation !== undefined) assertOption('isolation', isolation, oneOf(...Object.keys(levels)))
}

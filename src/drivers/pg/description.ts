import type { Row } from '../../contract/sql-driver.ts'
import type { PgField } from './client.ts'

/** The columns of an answer. */
export interface Description {
  readonly fields: readonly PgField[]
  /** A row of NULLs, to be copied: the columns are in their order, and all rows of one shape. */
  readonly blank: Row
}

export const NO_COLUMNS: Description = { fields: [], blank: {} }

export function describe(fields: readonly PgField[]): Description {
  const blank: Row = {}
  for (const { name } of fields) {
    // What is called like the prototype is a column all the same.
    if (name === '__proto__')
      Object.defineProperty(blank, name, {
        value: null,
        writable: true,
        enumerable: true,
        configurable: true,
      })
    else blank[name] = null
  }
  return { fields, blank }
}

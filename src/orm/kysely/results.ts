import type { QueryResult as KyselyResult } from 'kysely'
import type { QueryResult, SqlDialect } from '../../contract/sql-driver.ts'

/** Turns what our drivers give into what Kysely's own would have given. */
export type ToKysely = (result: QueryResult) => KyselyResult<never>

const COUNTED: ReadonlySet<string | undefined> = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

function ofPostgres({ rows, rowCount, command }: QueryResult): KyselyResult<unknown> {
  return COUNTED.has(command) ? { rows, numAffectedRows: BigInt(rowCount) } : { rows }
}

function ofMysql({ rows, rowCount, fields, insertId, changedRows }: QueryResult): KyselyResult<unknown> {
  if (fields.length > 0) return { rows }
  return {
    rows,
    numAffectedRows: BigInt(rowCount),
    ...(insertId === undefined ? {} : { insertId: BigInt(insertId) }),
    ...(changedRows === undefined ? {} : { numChangedRows: BigInt(changedRows) }),
  }
}

function ofSqlite({ rows, rowCount, fields, insertId }: QueryResult): KyselyResult<unknown> {
  if (fields.length > 0) return { rows }
  return {
    rows,
    numAffectedRows: BigInt(rowCount),
    ...(insertId === undefined ? {} : { insertId: BigInt(insertId) }),
  }
}

export const TO_KYSELY = { postgres: ofPostgres, mysql: ofMysql, sqlite: ofSqlite } as Readonly<
  Record<SqlDialect, ToKysely>
>

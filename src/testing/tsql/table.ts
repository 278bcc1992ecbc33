import { folded } from './comparison.ts'
import type { LockOwner } from './locks.ts'
import type { ColumnDefinition } from './syntax.ts'
import type { Plain } from './value.ts'

export type Values = readonly Plain[]

/** What a row was from one commit to the next; `undefined` = not there. */
interface Version {
  readonly since: number
  readonly values: Values | undefined
}

/** A row with its past, as far as a snapshot may still want it. */
export interface StoredRow {
  readonly lock: string
  readonly key: string | undefined
  versions: Version[]
  /** What a transaction that has not committed yet has made of it. */
  pending?: { readonly by: LockOwner; readonly values: Values | undefined } | undefined
}

let ids = 0x1000

export class Table {
  readonly id = ++ids
  readonly name: string
  readonly columns: ColumnDefinition[]
  /** The places of the key's columns. */
  readonly key: readonly number[]
  readonly rows = new Set<StoredRow>()
  readonly #byKey = new Map<string, StoredRow>()
  #rows = 0
  identity = 0

  constructor(name: string, columns: readonly ColumnDefinition[], key: readonly string[]) {
    this.name = name
    this.columns = [...columns]
    const wanted = new Set(key.map((one) => one.toLowerCase()))
    this.key = columns.flatMap((column, place) =>
      column.isKey || wanted.has(column.name.toLowerCase()) ? [place] : [],
    )
  }

  get lock(): string {
    return String(this.id)
  }

  placeOf(column: string): number {
    return this.columns.findIndex(({ name }) => name.toLowerCase() === column.toLowerCase())
  }

  keyOf(values: Values): string | undefined {
    if (this.key.length === 0) return undefined
    return this.key.map((place) => keyText(values[place] ?? null)).join('|')
  }

  find(key: string): StoredRow | undefined {
    return this.#byKey.get(key)
  }

  add(key: string | undefined): StoredRow {
    const row: StoredRow = { lock: `${this.id}:${++this.#rows}`, key, versions: [] }
    this.rows.add(row)
    if (key !== undefined) this.#byKey.set(key, row)
    return row
  }

  forget(row: StoredRow): void {
    this.rows.delete(row)
    if (row.key !== undefined && this.#byKey.get(row.key) === row) this.#byKey.delete(row.key)
  }
}

function keyText(plain: Plain): string {
  if (plain instanceof Date) return plain.toISOString()
  if (Buffer.isBuffer(plain)) return plain.toString('hex')
  return typeof plain === 'string' ? folded(plain) : String(plain)
}

/** The row as the last commit left it. */
export function committed(row: StoredRow): Values | undefined {
  return row.versions.at(-1)?.values
}

/** The row as it was at a moment. */
export function asOf(row: StoredRow, moment: number): Values | undefined {
  return [...row.versions].reverse().find(({ since }) => since <= moment)?.values
}

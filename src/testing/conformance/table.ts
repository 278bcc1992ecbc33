import type { Queryable } from '../../contract/sql.ts'

/** A table of the suite: a whole number `id` and a text `note`. */
export class Table {
  readonly name: string
  readonly #text: (sql: string) => string

  /** @param text puts the driver's placeholders in */
  constructor(name: string, text: (sql: string) => string) {
    this.name = name
    this.#text = text
  }

  async insert(queryable: Queryable, id: number, note: string | null = null): Promise<void> {
    await queryable.query(this.#text(`insert into ${this.name} (id, note) values (?, ?)`), [id, note])
  }

  /** Returns how many rows the driver says were changed. */
  async update(queryable: Queryable, { id, note }: { id: number; note: string }): Promise<number> {
    const sql = this.#text(`update ${this.name} set note = ? where id = ?`)
    return (await queryable.query(sql, [note, id])).rowCount
  }

  async updateAll(queryable: Queryable, note: string): Promise<number> {
    return (await queryable.query(this.#text(`update ${this.name} set note = ?`), [note])).rowCount
  }

  async note(queryable: Queryable, id: number): Promise<unknown> {
    const { rows } = await queryable.query(this.#text(`select note from ${this.name} where id = ?`), [id])
    const [row] = rows
    return row === undefined ? undefined : Object.values(row)[0]
  }

  /** Drivers disagree on whether a count is a number, a text or a bigint. */
  async count(queryable: Queryable): Promise<number> {
    const { rows } = await queryable.query(`select count(*) as n from ${this.name}`)
    return Number(Object.values(rows[0] ?? {})[0])
  }
}

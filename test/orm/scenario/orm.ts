/** Rows of a statement that is given as text. */
export type Run = (sql: string) => Promise<Record<string, unknown>[]>

/** Where an ORM connects to, and how far. */
export interface Place {
  readonly url: string
  readonly max: number
  /** Milliseconds for which a caller may wait, where that can be said. */
  readonly waitMs: number
}

/** An ORM made ready, as its users would have it. */
export interface OpenOrm {
  /** Makes the tables of customers and their orders, by the ORM's own means where it has some. */
  schema(): Promise<unknown>
  /** One transaction: a customer, and orders that belong to it. Gives the customer's number. */
  order(name: string, totals: readonly number[]): Promise<number>
  /** Through the relation. */
  read(id: number): Promise<{ readonly name: string; readonly totals: readonly number[] }>
  transaction<T>(work: (run: Run) => Promise<T>): Promise<T>
  /** A row of `accounts` by its primary key. */
  lookup(id: number): Promise<unknown>
  close(): Promise<unknown>
}

/** The same ORM twice. */
export interface ScenarioOrm {
  /** On a pool of rockpool. */
  ours(place: Place): Promise<OpenOrm>
  /** On the pool that it comes with. */
  theirs(place: Place): Promise<OpenOrm>
}

export type Side = keyof ScenarioOrm

/** The tables, for ORMs that make none. */
export const TABLES = `
  create table customers (id serial primary key, name text not null);
  create table orders (id serial primary key, total int not null, customer_id int not null references customers)`

/** Reads a customer's orders off joined rows. */
export function joined(rows: readonly Record<string, unknown>[]): { name: string; totals: number[] } {
  return { name: String(rows[0]?.name), totals: rows.map(({ total }) => Number(total)) }
}

export const JOIN = `select c.name, o.total from customers c join orders o on o.customer_id = c.id`

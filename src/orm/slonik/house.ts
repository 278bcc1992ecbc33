import type { Lease } from '../../contract/lease.ts'
import type { SqlPool, SqlText } from '../../contract/sql.ts'
import type { QueryResult } from '../../contract/sql-driver.ts'
import type { PgClient } from '../../drivers/pg/client.ts'
import { FormedStatement } from '../../sql/statement.ts'
import { SingleReads } from '../single-reads.ts'
import { type DriverConfiguration, timeoutsOf } from './configuration.ts'
import type { SlonikModule } from './errors.ts'
import { Reading, type ServerFacts } from './reading.ts'
import type { QueryStreamClass } from './row-stream.ts'

/** What a house is told when it is built. */
export interface Plan {
  readonly pool: SqlPool<PgClient>
  readonly slonik: SlonikModule
  readonly configuration: DriverConfiguration
  readonly queryStream: () => QueryStreamClass
  readonly facts: ServerFacts
}

/** What the seats of one Slonik pool have in common. */
export class House {
  readonly slonik: SlonikModule
  readonly configuration: DriverConfiguration
  readonly queryStream: () => QueryStreamClass
  readonly reading: Reading
  /** Seats that Slonik keeps, with nobody on them. More than the pool has connections would stand empty for ever. */
  empty = 0
  readonly most: number
  /** Takes Slonik's timeouts back; empty where the pool's connections have them anyway. */
  readonly resetTimeouts: string
  readonly #setTimeouts: string
  readonly #pool: SqlPool<PgClient>
  readonly #reads = new SingleReads()

  constructor({ pool, slonik, configuration, queryStream, facts }: Plan) {
    this.slonik = slonik
    this.configuration = configuration
    this.queryStream = queryStream
    this.reading = new Reading(configuration.typeParsers, facts)
    this.#pool = pool
    this.most = pool.stats().max
    // What the pool's connections do not have by themselves is set for each borrowing, and taken back after it.
    const wanted = [...timeoutsOf(configuration)].filter(
      ([name, value]) => facts.settings.get(name) !== value,
    )
    this.#setTimeouts = wanted.map(([name, value]) => `set ${name} = ${value}`).join('; ')
    this.resetTimeouts = wanted.map(([name]) => `reset ${name}`).join('; ')
  }

  /** Without a promise, where there is nothing to wait for. */
  takeIdle(): Lease<PgClient> | undefined {
    return this.needsNothing && !this.#pool.closed ? this.#pool.tryAcquire() : undefined
  }

  /** Connections of the pool are as Slonik wants them. */
  get needsNothing(): boolean {
    return this.#setTimeouts === ''
  }

  /** A single read goes to the pool itself, where it may share a connection with others; undefined where it is more than that. */
  read(sql: string, values: readonly unknown[]): Promise<QueryResult> | undefined {
    if (!this.#reads.has(sql)) return undefined
    const statement: unknown = new FormedStatement(sql, values, this.reading.form)
    return this.#pool.query(statement as SqlText)
  }

  borrow(): Promise<Lease<PgClient>> {
    const lease = this.#pool.acquire()
    return this.needsNothing ? lease : this.#limited(lease)
  }

  async #limited(borrowed: Promise<Lease<PgClient>>): Promise<Lease<PgClient>> {
    const lease = await borrowed
    try {
      await lease.connection.query(this.#setTimeouts)
      return lease
    } catch (error) {
      lease.destroy(error)
      throw error
    }
  }
}

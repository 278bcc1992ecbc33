import { Readable } from 'node:stream'
import type { SqlLease } from '../../contract/sql.ts'
import type { QueryResult } from '../../contract/sql-driver.ts'
import type { KnexClientClass, Marked, Order } from './client.ts'
import { leaseOf, type Presentation } from './lending.ts'
import { type ClientParts, pooledClient } from './server-client.ts'
import { Visit } from './visit.ts'

/** What Knex holds while it has one of our connections to SQLite: they have no native object that it could use. */
class Seat implements Marked {
  readonly __knexUid: string
  /** A statement has changed a setting, and Knex sets it back without waiting for that. */
  isChanged = false

  constructor(uid: string) {
    this.__knexUid = uid
  }
}

let seats = 0

const SQLITE: Presentation = {
  show: () => new Seat(`__knexSeat${++seats}`),
  database: undefined,
}

const SETS = /^\s*pragma\b[^;]*=/i

/** Knex's SQLite on a pool: many readers, and writers one after another. */
export function sqliteClient(Dialect: KnexClientClass, parts: ClientParts): KnexClientClass {
  const { pool } = parts

  return class SqliteClient extends pooledClient(Dialect, parts, SQLITE) {
    override get canCancelQuery(): boolean {
      return true
    }

    /** There is none: the pool's driver has found its library. */
    override _driver(): undefined {
      return undefined
    }

    override async releaseConnection(connection: object): Promise<void> {
      if (connection instanceof Seat && connection.isChanged) await new Promise(setImmediate)
      return super.releaseConnection(connection)
    }

    override async _query(connection: object, order: Order): Promise<Order> {
      if (!order.sql) throw new Error('The query is empty')
      const bindings = bindable(order.bindings)
      if (connection instanceof Visit) return answered(order, await pool.query(order.sql, bindings))
      const lease = leaseOf(connection)
      const move = moveOf(order.sql, lease)
      if (move !== undefined) {
        await move()
        return Object.assign(order, { response: [], context: { lastID: undefined, changes: 0 } })
      }
      if (SETS.test(order.sql)) (connection as Seat).isChanged = true
      return answered(order, await lease.query(order.sql, bindings))
    }

    override _stream(connection: object, order: Order, stream: NodeJS.WritableStream): Promise<void> {
      return new Promise((resolve, reject) => {
        const rows = Readable.from(leaseOf(connection).stream(order.sql, bindable(order.bindings)))
        rows.on('error', (error) => {
          reject(error)
          stream.emit('error', error)
        })
        rows.on('close', resolve)
        rows.pipe(stream)
      })
    }
  }
}

/** A transaction that may write takes its turn at once: one that has read first might find that it can write no more. */
function moveOf(sql: string, lease: SqlLease<unknown>): (() => Promise<void>) | undefined {
  switch (sql.trim().replace(/;$/, '').toUpperCase()) {
    case 'BEGIN':
      return () => lease.begin()
    case 'COMMIT':
      return () => lease.commit()
    case 'ROLLBACK':
      return () => lease.rollback()
    default:
      return undefined
  }
}

/** As better-sqlite3 answers: rows, or what has changed. */
function answered(order: Order, { rows, rowCount, fields, insertId }: QueryResult): Order {
  if (fields.length > 0) return Object.assign(order, { response: rows })
  return Object.assign(order, {
    response: { changes: rowCount, lastInsertRowid: insertId },
    context: { lastID: insertId, changes: rowCount },
  })
}

/** As Knex's own dialect binds them. */
function bindable(bindings: readonly unknown[] = []): unknown[] {
  return bindings.map((value) => (value instanceof Date ? value.valueOf() : value))
}

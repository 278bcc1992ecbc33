import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlLease, SqlPool } from '../../contract/sql.ts'
import type { Builder, KnexClientClass, Marked, Order, Runner } from './client.ts'
import { Lending, leaseOf, type Presentation } from './lending.ts'
import type { KnexPackage } from './module.ts'
import { borrowLate, Visit } from './visit.ts'

/** What a client of ours is made of. */
export interface ClientParts {
  readonly pool: SqlPool<unknown>
  readonly knex: KnexPackage
  readonly ownsPool: boolean
}

/** PostgreSQL: what the pool lends is what Knex's dialect takes. */
export const POSTGRES: Presentation = {
  show: (lease) => lease.connection as Marked,
  database: 'select current_database() as name',
}

/** Knex speaks with callbacks: to mysql2's connection itself, not to the promises around it. */
export const MYSQL: Presentation = {
  show({ connection }: SqlLease<unknown>) {
    const { connection: inner } = connection as { connection?: unknown }
    const core = (inner ?? connection) as { handlePacket?: unknown }
    if (typeof core.handlePacket === 'function') return core as Marked
    throw new InvalidOptionError(
      'pool',
      'Knex speaks to MySQL and MariaDB by mysql2: make the pool with rockpool/drivers/mysql2',
    )
  },
  database: 'select database() as name',
}

/** A dialect of Knex whose connections are the pool's. */
export function pooledClient(
  Dialect: KnexClientClass,
  { pool, knex, ownsPool }: ClientParts,
  presentation: Presentation,
): KnexClientClass {
  const timeoutOf = (error: unknown) => knex.timeoutOf(error)
  const mayShare = presentation !== MYSQL

  return class PooledClient extends Dialect {
    /** The pool has its own; here it is for those who look for it. */
    override initializeDriver(): void {
      try {
        this.driver = this._driver()
      } catch {
        this.driver = undefined
      }
    }

    override initializePool(): void {
      this.connectionSettings = {}
      this.connectionConfigProvider = undefined
      this.connectionConfigExpirationChecker = null
      this.pool = new Lending(pool, this, presentation)
      this._ownsPool = ownsPool
    }

    override async acquireConnection(): Promise<Marked> {
      try {
        return await super.acquireConnection()
      } catch (error) {
        throw timeoutOf(error)
      }
    }

    /** Knex drops its pool at once, and a transaction that runs could neither finish nor give its connection back. */
    override async destroy(callback?: (error?: unknown) => void): Promise<void> {
      if (!ownsPool) await (this.pool as Lending | undefined)?.leave()
      await super.destroy(callback)
    }

    override async cancelQuery(connection: object): Promise<void> {
      await leaseOf(connection).cancel()
    }

    override runner(builder: Builder): Runner {
      const runner = super.runner(builder)
      if (this.transacting) return runner
      const visits = mayShare && (this.pool as Lending | undefined)?.needsNothing === true
      return borrowLate(runner, this, { visits, timeoutOf })
    }

    override async _query(connection: object, order: Order): Promise<Order> {
      if (!(connection instanceof Visit)) return super._query(connection, order)
      order.response = await pool.query(order.sql, order.bindings)
      return order
    }
  }
}

import { EventEmitter } from 'node:events'
import type { Driver, QueryResult, SqlDriver } from '../../src/index.ts'
import type { Resource, Source } from './lender.ts'

/** A driver of a resource that does nothing: what is measured is the pool. */
export function resourceDriver(source: Source): Driver<Resource> {
  return { name: 'bench', connect: () => source.open(), close: () => {} }
}

const NOTHING: QueryResult = { rows: [], rowCount: 0, fields: [] }

/** The same for SQL, with everything that a driver has which can share connections. */
export function sqlDriver(source: Source): SqlDriver<Resource> {
  return {
    ...resourceDriver(source),
    isAlive: () => true,
    isDirty: () => false,
    reset: () => {},
    query: async () => NOTHING,
    begin: async () => {},
    commit: async () => {},
    rollback: async () => {},
    savepoint: async () => {},
    pipeline: () => {},
    inTransaction: () => false,
  }
}

/** As much of `pg.Client` as pg-pool touches. */
export function clientClass(source: Source): new () => EventEmitter {
  return class FakeClient extends EventEmitter {
    readonly _queryable = true
    readonly _ending = false

    connect(done: (error?: Error) => void): void {
      void source.open().then(() => done())
    }

    end(done?: () => void): void {
      done?.()
    }

    isConnected(): boolean {
      return true
    }

    ref(): void {}

    unref(): void {}
  }
}

import { EventEmitter } from 'node:events'
import type { Driver, QueryResult, SqlDriver } from '../../src/index.ts'
import type { Resource, Source } from './lender.ts'

/** What is measured is the pool: all that use one source share what is made for it. */
function once<T>(make: (source: Source) => T): (source: Source) => T {
  const made = new WeakMap<Source, T>()
  return (source) => {
    const found = made.get(source) ?? make(source)
    made.set(source, found)
    return found
  }
}

/** A driver of a resource that does nothing. */
export const resourceDriver = once((source): Driver<Resource> => {
  return { name: 'bench', connect: () => source.open(), close: () => {} }
})

const NOTHING: QueryResult = { rows: [], rowCount: 0, fields: [] }

/** The same for SQL, with everything that a driver has which can share connections. */
export const sqlDriver = once((source): SqlDriver<Resource> => {
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
})

/** As much of `pg.Client` as pg-pool touches. */
export const clientClass = once((source): (new () => EventEmitter) => {
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
})

import { expectTypeOf, test } from 'vitest'
import type { Driver } from '../../src/contract/driver.ts'
import type { Lease } from '../../src/contract/lease.ts'
import type { PoolOptions, ResizeOptions } from '../../src/contract/options.ts'
import type { Pool } from '../../src/contract/pool.ts'
import type { SqlLease, SqlPool } from '../../src/contract/sql.ts'
import type { Row } from '../../src/contract/sql-driver.ts'

interface Thing {
  readonly id: number
}
declare const pool: Pool<Thing>
declare const sql: SqlPool<Thing>

test('a lease carries the type of the connection', () => {
  expectTypeOf(pool.acquire()).resolves.toEqualTypeOf<Lease<Thing>>()
  expectTypeOf(sql.acquire()).resolves.toEqualTypeOf<SqlLease<Thing>>()
  expectTypeOf(pool.tryAcquire()).toEqualTypeOf<Lease<Thing> | undefined>()
  expectTypeOf<SqlLease<Thing>['connection']>().toEqualTypeOf<Thing>()
})

test('use gives what the work gives, awaited', () => {
  expectTypeOf(pool.use((lease) => lease.connection.id)).resolves.toBeNumber()
  expectTypeOf(pool.use(async (lease) => lease.connection)).resolves.toEqualTypeOf<Thing>()
})

test('rows are records of the unknown unless the caller says what they are', () => {
  expectTypeOf(sql.query('select 1').then(({ rows }) => rows)).resolves.toEqualTypeOf<Row[]>()
  expectTypeOf(sql.query<Thing>('select 1 as id').then(({ rows }) => rows)).resolves.toEqualTypeOf<Thing[]>()
  expectTypeOf(sql.stream<Thing>('select 1 as id')).toEqualTypeOf<AsyncIterable<Thing>>()
})

test('a pool and a lease can be left to `await using`', () => {
  expectTypeOf<Pool<Thing>>().toExtend<AsyncDisposable>()
  expectTypeOf<Lease<Thing>>().toExtend<AsyncDisposable & Disposable>()
})

test('a driver needs a name, connect and close, and no more', () => {
  expectTypeOf<{ name: string; connect(): Promise<Thing>; close(): void }>().toExtend<Driver<Thing>>()
  expectTypeOf<{ name: string; connect(): Promise<Thing> }>().not.toExtend<Driver<Thing>>()
})

test('options that do not exist, or of another type, do not compile', () => {
  // @ts-expect-error misspelt
  const misspelt: PoolOptions = { acquireTimout: 5 }
  // @ts-expect-error not a number
  const text: PoolOptions = { max: '5' }
  // @ts-expect-error the name stays
  const renamed: ResizeOptions = { name: 'other' }
  expectTypeOf([misspelt, text, renamed]).toBeArray()
})

import pgModule, * as pgNamespace from 'pg'
import { expectTypeOf, test } from 'vitest'
import type { SqlDriver } from '../../src/contract/sql-driver.ts'
import { type PgClient, pg } from '../../src/drivers/pg/index.ts'

test('the type of a connection comes from the module that the user passes', () => {
  expectTypeOf(pg('postgres://h', { module: pgModule })).toEqualTypeOf<SqlDriver<pgModule.Client>>()
  expectTypeOf(pg('postgres://h', { module: pgNamespace })).toEqualTypeOf<SqlDriver<pgModule.Client>>()
  class MyClient extends pgModule.Client {
    readonly mine = true
  }
  expectTypeOf(pg({}, { module: { Client: MyClient } })).toEqualTypeOf<SqlDriver<MyClient>>()
})

test('without a module it can be named, or is the part that we know', () => {
  expectTypeOf(pg<pgModule.Client>('postgres://h')).toEqualTypeOf<SqlDriver<pgModule.Client>>()
  expectTypeOf(pg('postgres://h')).toEqualTypeOf<SqlDriver<PgClient>>()
  expectTypeOf(pg).toBeCallableWith()
  expectTypeOf(pg).toBeCallableWith(new URL('postgres://h'))
})

test('a config that fits pg fits us', () => {
  const config: pgModule.ClientConfig = { host: 'h', ssl: { rejectUnauthorized: false } }
  expectTypeOf(pg).toBeCallableWith(config)
  expectTypeOf(pg).toBeCallableWith({ password: async () => 'token', sslmode: 'verify-full' })
  // @ts-expect-error a misspelt option
  pg({ hots: 'h' })
})

import type * as generic from 'generic-pool'
import type { MssqlDialectConfig } from 'kysely'
import type * as mssql from 'mssql'
import type * as oracledb from 'oracledb'
import type * as sequelize from 'sequelize-pool'
import type * as tarn from 'tarn'
import { expectTypeOf, test } from 'vitest'
import type * as ourGeneric from '../../src/compat/generic-pool/index.ts'
import ourMssql from '../../src/compat/mssql/index.ts'
import ourOracle from '../../src/compat/oracledb/index.ts'
import type * as ourSequelize from '../../src/compat/sequelize-pool/index.ts'
import * as ourTarn from '../../src/compat/tarn/index.ts'

interface Thing {
  id: number
}

/** What users of a class can call: neither its protected members, which no other class can have, nor its private ways. */
type Calls<C> = { [K in keyof C as K extends `_${string}` ? never : K]: C[K] }

test('ours has what the public surface of the original has', () => {
  type TarnCalls = Omit<Calls<tarn.Pool<Thing>>, 'acquire' | 'destroy'>
  expectTypeOf<ourTarn.Pool<Thing>>().toExtend<TarnCalls>()
  expectTypeOf<ourTarn.Pool<Thing>['acquire']>().returns.toExtend<{
    promise: Promise<Thing>
    abort(): void
  }>()
  expectTypeOf<ourSequelize.Pool<Thing>>().toExtend<Calls<sequelize.Pool<Thing>>>()
  expectTypeOf<ourGeneric.Pool<Thing>>().toExtend<generic.Pool<Thing>>()
})

test('options that were written for the original are options of ours', () => {
  expectTypeOf<sequelize.FactoryOptions<Thing>>().toExtend<ourSequelize.FactoryOptions<Thing>>()
  expectTypeOf<generic.Factory<Thing>>().toExtend<ourGeneric.Factory<Thing>>()
  expectTypeOf<generic.Options>().toExtend<ourGeneric.Options>()
})

test('Kysely takes ours where it takes tarn', () => {
  expectTypeOf<typeof ourTarn.Pool>().toExtend<MssqlDialectConfig['tarn']['Pool']>()
})

test('what is made is known from create', () => {
  const pool = new ourTarn.Pool({ create: async () => ({ id: 1 }), destroy() {}, min: 0, max: 1 })
  expectTypeOf(pool.acquire().promise).resolves.toEqualTypeOf<{ id: number }>()
})

test('the packages keep their types', () => {
  expectTypeOf(ourMssql.Int).toEqualTypeOf<typeof mssql.Int>()
  expectTypeOf(ourMssql.query).toEqualTypeOf<typeof mssql.query>()
  expectTypeOf(ourOracle.DB_TYPE_NUMBER).toEqualTypeOf<typeof oracledb.DB_TYPE_NUMBER>()
})

import { expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { sqlite } from '../../../src/drivers/sqlite/index.ts'
import { rockpoolPrisma } from '../../../src/orm/prisma/index.ts'

const pool = () => createPool(pg('postgres://127.0.0.1:1/none'))
class Adapter {
  connect = async () => undefined
}

test('Prisma need not be installed until it is used, and then it is asked for by name', () => {
  expect(() => rockpoolPrisma(pool())).toThrow(
    expect.objectContaining({
      code: 'DRIVER_MISSING',
      message: expect.stringContaining('@prisma/adapter-pg'),
    }),
  )
})

test('what is no pool of SQL is refused, as Prisma would take it for a config', () => {
  for (const given of [{}, { host: 'localhost' }, 'postgres://', undefined])
    expect(() => rockpoolPrisma(given as never)).toThrow(/rockpoolPrisma wants a pool made by createPool/)
})

test('SQLite is refused', () => {
  const sqlitePool = createPool(sqlite({ file: ':memory:' }))
  expect(() => rockpoolPrisma(sqlitePool)).toThrow(/Prisma's adapters for sqlite have one connection/)
})

test.each([
  [{ adapter: 'PrismaPg' }, /"adapter" is "PrismaPg": it must be the class PrismaPg/],
  [{ ownsPool: 1 }, /"ownsPool" is 1/],
  [{ adapterOptions: { disposeExternalPool: true } }, /say "ownsPool"/],
  [{ ownPool: true }, /did you mean "ownsPool"/],
])('%o is refused', (options, message) => {
  expect(() => rockpoolPrisma(pool(), { adapter: Adapter, ...options } as never)).toThrow(message)
})

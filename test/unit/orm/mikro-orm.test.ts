import * as kysely from 'kysely'
import { expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolMikroOrm } from '../../../src/orm/mikro-orm/index.ts'

const pool = () => createPool(pg('postgres://127.0.0.1:1/none'))

test('MikroORM need not be installed: it is given a function that makes a dialect of kysely', () => {
  const { driverOptions } = rockpoolMikroOrm(pool(), { kysely })
  expect(driverOptions()).toMatchObject({ createDriver: expect.any(Function) })
  expect(driverOptions()).not.toBe(driverOptions())
})

test.each([
  [{ host: 'localhost' }, {}, /rockpoolMikroOrm wants a pool made by createPool/],
  [pool(), { kysely: {} }, /"kysely" is an object: it must be the "kysely" package/],
  [pool(), { ownsPool: 1 }, /"ownsPool" is 1/],
  [pool(), { onReserveConnection: 1 }, /"onReserveConnection" is 1: it must be a function/],
  [pool(), { ownPool: true }, /did you mean "ownsPool"/],
])('%o with %o is refused', (given, options, message) => {
  expect(() => rockpoolMikroOrm(given as never, options as never)).toThrow(message)
})

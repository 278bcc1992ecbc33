import * as kysely from 'kysely'
import { describe, expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { pg } from '../../../src/drivers/pg/index.ts'
import { rockpoolMikroOrm } from '../../../src/orm/mikro-orm/index.ts'
import { READING, type Reading } from '../../../src/orm/mikro-orm/reading.ts'

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

describe('how a connection of mysql2 reads while MikroORM has it', () => {
  const connectionTo = (serverVersion: string) => ({
    config: { dateStrings: false, supportBigNumbers: false, jsonStrings: false },
    _handshakePacket: { serverVersion },
  })
  const reading = READING.mysql as Reading

  test.each([
    ['8.4.2', 'by mysql2, as @mikro-orm/mysql has it', false],
    ['5.5.5-10.11.6-MariaDB-1', 'by MikroORM, as @mikro-orm/mariadb has it', true],
  ])('JSON of %s is parsed %s', (version, _, jsonStrings) => {
    const connection = connectionTo(version)
    reading.putOn(connection)
    expect(connection.config).toEqual({ dateStrings: true, supportBigNumbers: true, jsonStrings })
  })

  test('afterwards it reads as before', () => {
    const connection = connectionTo('11.4.2-MariaDB')
    for (let i = 0; i < 2; i++) {
      reading.putOn(connection)
      reading.takeOff(connection)
    }
    expect(connection.config).toEqual(connectionTo('').config)
  })
})

test('a MikroORM that is about to open a pool of its own is told so', () => {
  const { pool: trap } = rockpoolMikroOrm(pool(), { kysely })
  for (const read of [() => trap.min, () => trap.max])
    expect(read).toThrow(expect.objectContaining({ code: 'POOL_BYPASSED', orm: 'MikroORM' }))
})

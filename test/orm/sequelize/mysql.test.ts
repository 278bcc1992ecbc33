import { AccessDeniedError, DataTypes, Sequelize } from 'sequelize'
import { afterAll, describe, expect, test } from 'vitest'
import { rockpoolSequelize } from '../../../src/orm/sequelize/index.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import { Overseer } from '../../support/mysql-server.ts'
import { needs } from '../../support/skip.ts'
import { behaves } from './behaviour.ts'
import { closedAtEnd, type Lab, openOn, plainOn } from './lab.ts'

needs(hasMariadb, NO_MARIADB)

const server = hasMariadb ? await startMariadb() : undefined
const overseer = server === undefined ? undefined : await Overseer.of(server)
afterAll(async () => {
  await overseer?.close()
  await server?.close()
})

describe.each(['mysql', 'mariadb'] as const)('dialect %s', (dialect) => {
  const lab: Lab = {
    url: () => server?.url({ scheme: dialect }) ?? '',
    options: { dialect },
    whoami: 'select connection_id() as id',
    kill: async (session) => overseer?.kill(session),
    sessions: async () => overseer?.sessions() ?? Number.NaN,
  }
  behaves(lab)

  test('a wrong password fails at once, also when the server is waited for', async () => {
    const url = lab.url().replace(/:([^:@/]*)@/, ':wrong@')
    const made = new Sequelize(url, { logging: false, dialect })
    const sequelize = closedAtEnd(rockpoolSequelize(made, { unreachable: 'wait' }))
    await expect(sequelize.authenticate()).rejects.toBeInstanceOf(AccessDeniedError)
  })

  test('values are what they are without rockpool', async () => {
    const read = async (sequelize: Sequelize) => {
      const Sample = sequelize.define(
        'sample',
        {
          at: DataTypes.DATE(6),
          day: DataTypes.DATEONLY,
          money: DataTypes.DECIMAL(20, 4),
          big: DataTypes.BIGINT,
          flag: DataTypes.BOOLEAN,
          json: DataTypes.JSON,
          mood: DataTypes.ENUM('glad', 'sad'),
          bytes: DataTypes.BLOB,
          uuid: DataTypes.UUID,
        },
        { timestamps: false },
      )
      await sequelize.sync({ force: true })
      await Sample.create({
        at: new Date('2024-02-29T12:34:56.789Z'),
        day: '2024-02-29',
        money: '1234567890123456.7891',
        big: '9007199254740993',
        flag: true,
        json: { deep: [1, { er: null }] },
        mood: 'glad',
        bytes: Buffer.from('bytes'),
        uuid: '0b0a0908-0706-4504-8302-010000000000',
      })
      return (await Sample.findOne())?.get()
    }
    expect(await read(openOn(lab))).toEqual(await read(closedAtEnd(plainOn(lab))))
  })
})

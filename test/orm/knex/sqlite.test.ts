import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import makeKnex from 'knex'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { sqlite } from '../../../src/drivers/sqlite/index.ts'
import { rockpoolKnex } from '../../../src/orm/knex/index.ts'
import { eventually } from '../../support/postgres.ts'

/** A database in a file of its own, with a table of people. */
async function open(place: 'file' | 'memory' = 'file') {
  const folder = mkdtempSync(join(tmpdir(), 'knex-sqlite-'))
  const file = place === 'file' ? join(folder, 'app.db') : ':memory:'
  const pool = createPool(sqlite({ file }, { module: 'libsql' }), { max: 4 })
  const knex = makeKnex(rockpoolKnex(pool, { useNullAsDefault: true }))
  onTestFinished(async () => {
    await pool.close({ drainTimeoutMs: 0 })
    rmSync(folder, { recursive: true })
  })
  await knex.schema.createTable('person', (table) => {
    table.increments('id')
    table.string('name').notNullable()
    table.datetime('born')
  })
  await knex.schema.createTable('pet', (table) => {
    table.increments('id')
    table.integer('owner_id').references('person.id')
  })
  const expectWhole = () =>
    eventually(() => {
      const { total, idle, leased, waiting } = pool.stats()
      expect({ idle, leased, waiting }).toEqual({ idle: total, leased: 0, waiting: 0 })
    })
  return { pool, knex, expectWhole }
}

describe.each(['file', 'memory'] as const)('Knex on SQLite, in %s', (place) => {
  test('runs its statements on the pool, with results as Knex gives them', async () => {
    const { knex, expectWhole } = await open(place)
    expect(await knex('person').insert({ name: 'Ada', born: new Date(5) })).toEqual([1])
    expect(await knex('person').insert({ name: 'Eve' }).returning('id')).toEqual([{ id: 2 }])
    expect(await knex('person').where({ id: 1 }).first()).toEqual({ id: 1, name: 'Ada', born: 5 })
    expect(await knex('person').pluck('name')).toEqual(['Ada', 'Eve'])
    expect(await knex('person').where({ id: 1 }).update({ name: 'Eva' })).toBe(1)
    expect(await knex('person').where({ id: 1 }).del()).toBe(1)
    expect(await knex.raw('select 1 as n')).toEqual([{ n: 1 }])
    await expect(knex('nowhere')).rejects.toThrow('no such table: nowhere')
    await expectWhole()
  })

  test('20 transactions at once take their turns, and each sees what it has done', async () => {
    const { knex, expectWhole } = await open(place)
    await Promise.all(
      Array.from({ length: 20 }, () =>
        knex.transaction(async (trx) => {
          const [{ n } = { n: -1 }] = await trx('person').count<{ n: number }[]>('* as n')
          await trx('person').insert({ name: `number ${n}` })
          expect(await trx('person').count('* as n')).toEqual([{ n: Number(n) + 1 }])
        }),
      ),
    )
    const names = await knex('person').orderBy('id').pluck('name')
    expect(names).toEqual(Array.from({ length: 20 }, (_, i) => `number ${i}`))
    await expectWhole()
  })

  test('a transaction that fails is rolled back, an inner one to where it began', async () => {
    const { knex, expectWhole } = await open(place)
    await expect(
      knex.transaction(async (trx) => {
        await trx('person').insert({ name: 'gone' })
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    await knex.transaction(async (trx) => {
      await trx('person').insert({ name: 'outer' })
      const inner = trx.transaction(async (nested) => {
        await nested('person').insert({ name: 'inner' })
        throw new Error('no')
      })
      await inner.catch(() => undefined)
    })
    expect(await knex('person').pluck('name')).toEqual(['outer'])
    await expectWhole()
  })

  test('a COMMIT that fails, for a deferred constraint, rolls back', async () => {
    const { knex, expectWhole } = await open(place)
    await knex.raw('create table deferred (owner_id references person deferrable initially deferred)')
    await expect(knex.transaction((trx) => trx('deferred').insert({ owner_id: 99 }))).rejects.toThrow(
      /FOREIGN KEY/,
    )
    expect(await knex('deferred')).toEqual([])
    await expectWhole()
  })

  test('changes of the schema, for which Knex makes tables anew, leave foreign keys in force', async () => {
    const { knex, expectWhole } = await open(place)
    await knex('person').insert({ id: 1, name: 'Ada' })
    await knex('pet').insert({ owner_id: 1 })
    await knex.schema.alterTable('person', (table) => {
      table.dropColumn('born')
      table.string('name').nullable().alter()
    })
    expect(await knex('person')).toEqual([{ id: 1, name: 'Ada' }])
    await expectWhole()
    const refused = Array.from({ length: 8 }, () => knex('pet').insert({ owner_id: 99 }))
    const outcomes = await Promise.allSettled(refused)
    expect(outcomes.map(({ status }) => status)).toEqual(Array(8).fill('rejected'))
    expect(await knex('pet').count('* as n')).toEqual([{ n: 1 }])
  })

  test('streams row by row, and lets go when the reader leaves', async () => {
    const { knex, expectWhole } = await open(place)
    await knex.batchInsert(
      'person',
      Array.from({ length: 500 }, (_, i) => ({ name: `${i}` })),
    )
    const names: string[] = []
    for await (const { name } of knex('person').orderBy('id').stream()) names.push(name)
    expect(names).toHaveLength(500)
    for await (const { name } of knex('person').orderBy('id').stream()) {
      expect(name).toBe('0')
      break
    }
    await expectWhole()
  })
})

test('readers do not wait for a transaction that writes', async () => {
  const { pool, knex } = await open()
  const trx = await knex.transaction()
  await trx('person').insert({ name: 'unseen' })
  expect(await knex('person')).toEqual([])
  await trx.commit()
  expect(await knex('person').pluck('name')).toEqual(['unseen'])
  expect(pool.stats().leased).toBe(0)
})

test('a statement with a timeout is stopped', async () => {
  const { knex, expectWhole } = await open()
  const endless = 'with recursive n(i) as (select 1 union all select i + 1 from n) select i from n'
  const error = await knex
    .raw(endless)
    .timeout(1_000, { cancel: true })
    .catch((thrown) => thrown)
  expect(error).toBeInstanceOf(makeKnex.KnexTimeoutError)
  await expectWhole()
  expect(await knex.raw('select 1 as n')).toEqual([{ n: 1 }])
})

import { describe, expect, test } from 'vitest'
import { InvalidOptionError, SessionStatementError } from '../../../src/contract/errors.ts'
import { PreparedNames } from '../../../src/sql/prepared-names.ts'
import { type Options, sqlWorld } from '../../support/world.ts'

describe('behind a pooler that lends by transaction', () => {
  test('no statement gets a name, however often it runs and whatever the call says', async () => {
    const { clock, pool, server } = sqlWorld({ pooler: 'transaction', max: 1 })
    server.answer('select $1', [{ one: 1 }])
    for (let i = 0; i < 8; i++) await clock.until(pool.query('select $1', [i]))
    await clock.until(pool.query('select $1', [9], { prepare: true }))
    const names = await clock.until(pool.use(({ connection }) => [...connection.prepared]))
    expect(names).toEqual([])
  })

  test('a statement that would change the session is refused before it is sent', async () => {
    const { clock, pool, sent, errorOf } = sqlWorld({ pooler: 'transaction' })
    for (const text of ['set work_mem = 1', 'create temp table t (id int)', 'select pg_advisory_lock(1)']) {
      expect(await errorOf(pool.query(text))).toBeInstanceOf(SessionStatementError)
    }
    await clock.advance(10)
    expect(sent()).toEqual([])
  })

  test('a full reset is impossible and says so at creation', () => {
    expect(() => sqlWorld({ pooler: 'transaction', reset: 'full' })).toThrow(InvalidOptionError)
  })
})

describe('a pooler that nobody has declared', () => {
  /** Which names the statements were sent under; what the driver says when a name got lost. */
  function scene(verdict: () => boolean | Promise<boolean>, options: Options = {}) {
    const world = sqlWorld({ max: 1, ...options })
    const names: (string | undefined)[] = []
    const most = { inFlight: 0 }
    const { query } = world.driver
    world.driver.query = (connection, sql, params, call) => {
      names.push(call.name)
      most.inFlight = Math.max(most.inFlight, connection.inFlight + 1)
      return query(connection, sql, params, call)
    }
    let asked = 0
    world.driver.confirmPooler = () => {
      asked++
      return verdict()
    }
    world.server.answer('select $1', [{ n: 1 }])
    const prepared = () => world.pool.query('select $1', [1], { prepare: true })
    const told = () => world.events.flatMap(({ event, error }) => (event === 'error' ? [error] : []))
    return { ...world, names, most, prepared, told, asked: () => asked }
  }

  test('costs its first statement a second try; then nothing is named, and one error says what to declare', async () => {
    const { clock, server, names, prepared, told, asked } = scene(() => true)
    await clock.until(prepared())
    server.forgetPrepared()
    for (let n = 0; n < 6; n++) expect((await clock.until(prepared())).rows).toEqual([{ n: 1 }])
    expect(names.map((name) => name !== undefined)).toEqual([true, true, ...Array(6).fill(false)])
    expect(asked()).toBe(1)
    expect(told()).toEqual([expect.any(InvalidOptionError)])
    expect(told()[0]).toMatchObject({
      option: 'pooler',
      message: expect.stringContaining('pooler: "transaction"'),
    })
  })

  test('ends the sharing of connections', async () => {
    const { clock, pool, server, prepared, most } = scene(() => true, { max: 2 })
    server.answer('select 1', [{ n: 1 }])
    const burst = async () => {
      most.inFlight = 0
      await clock.until(Promise.all(Array.from({ length: 20 }, () => pool.query('select 1'))))
      return most.inFlight
    }
    await clock.until(pool.query('select 1'))
    expect(await burst()).toBeGreaterThan(1)
    await clock.until(prepared())
    server.forgetPrepared()
    await clock.until(prepared())
    expect(await burst()).toBe(1)
  })

  test('that the driver does not find there changes nothing: somebody has deallocated', async () => {
    const { clock, server, names, prepared, told } = scene(() => false)
    for (let n = 0; n < 3; n++) {
      await clock.until(prepared())
      server.forgetPrepared()
    }
    await clock.until(prepared())
    expect(names.map((name) => name !== undefined)).toEqual([true, true, false, true, true, false])
    expect(told()).toEqual([])
  })

  test('stays a question while the driver cannot find out', async () => {
    const { clock, server, prepared, told } = scene(() => Promise.reject(new Error('gone')))
    await clock.until(prepared())
    server.forgetPrepared()
    expect((await clock.until(prepared())).rows).toEqual([{ n: 1 }])
    expect(told()).toEqual([])
  })

  test('is noticed within a transaction too, whose owner is told as ever', async () => {
    const { clock, pool, server, names, prepared, told, errorOf } = scene(() => true)
    await clock.until(prepared())
    server.forgetPrepared()
    const work = pool.transaction((tx) => tx.query('select $1', [1], { prepare: true }))
    expect(await errorOf(work)).toMatchObject({ code: 'NOT_PREPARED' })
    expect(told().length).toBe(1)
    await clock.until(prepared())
    expect(names.at(-1)).toBeUndefined()
  })
})

test('no two names are the same, whichever process makes them', async () => {
  const names = () => Array.from({ length: 50 }, (_, n) => new PreparedNames().nameFor(`q${n}`, true))
  expect(new Set([...names(), ...names()]).size).toBe(100)
  for (const name of names()) expect(name).toMatch(/^rockpool_\d+_[a-z0-9]{6,}$/)
})

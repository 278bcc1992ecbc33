import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { createPool } from '../../../src/create-pool.ts'
import { closeOnSignal } from '../../../src/pool/close-on-signal.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { sharedPool } from '../../../src/pool/shared-pool.ts'
import { FakeServer } from '../../../src/testing/fake-server.ts'
import { sqlWorld } from '../../support/world.ts'

/** What was thrown or rejected with; undefined when nothing was. */
async function refusal(call: () => unknown): Promise<unknown> {
  try {
    const given = await call()
    if (isStream(given)) for await (const _ of given);
  } catch (error) {
    return error
  }
  return undefined
}

function isStream(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}

/** Calls that take options, each with these. */
function calls() {
  const { clock, pool } = sqlWorld()
  const on = (call: () => unknown) => () => clock.until(refusal(call))
  const inSession = async (work: (session: ReturnType<typeof pool.session>) => Promise<unknown>) => {
    const session = pool.session()
    try {
      await work(session)
    } finally {
      await session.close()
    }
  }
  return (options: never): [call: string, outcome: () => Promise<unknown>][] => [
    ['the pool', on(() => createResourcePool(new FakeServer({ clock }).resourceDriver(), options))],
    ['the pool', on(() => createPool('sqlite::memory:', options))],
    ['acquire', on(() => pool.acquire(options))],
    ['acquire', on(() => pool.use(() => {}, options))],
    ['ready', on(() => pool.ready(options))],
    ['resize', on(() => pool.resize(options))],
    ['close', on(() => sqlWorld().pool.close(options))],
    ['query', on(() => pool.query('select 1', [], options))],
    ['stream', on(() => pool.stream('select 1', [], options))],
    ['transaction', on(() => pool.transaction(async () => {}, options))],
    ['session', on(() => pool.session(options))],
    ['begin', on(() => pool.use((lease) => lease.begin(options)))],
    ['begin', on(() => inSession((session) => session.begin(options)))],
    ['transaction', on(() => pool.use((lease) => lease.transaction(async () => {}, options)))],
    ['transaction', on(() => inSession((session) => session.transaction(async () => {}, options)))],
  ]
}

describe('options that are no object', () => {
  for (const [given, shown] of [
    [null, 'null'],
    [5, '5'],
    ['x', '"x"'],
    [[], 'an array'],
  ] as const) {
    test(`are refused by every call, which says so: ${shown}`, async () => {
      for (const [call, outcome] of calls()(given as never)) {
        const error = (await outcome()) as InvalidOptionError
        expect([call, error?.message]).toEqual([call, `${call} takes its options as an object, not ${shown}`])
        expect(error).toBeInstanceOf(InvalidOptionError)
      }
    })
  }
})

test('an option that a call does not have is refused by every call, which names it', async () => {
  for (const [call, outcome] of calls()({ isolaton: 'serializable' } as never)) {
    const error = (await outcome()) as InvalidOptionError
    expect(error, call).toBeInstanceOf(InvalidOptionError)
    expect(error.message).toMatch(
      new RegExp(`^${call} has no option "isolaton" \\(given "serializable"\\): `),
    )
  }
})

test('ready has no options of a place in the queue: it stands in none', async () => {
  const { pool } = sqlWorld()
  expect(await refusal(() => pool.ready({ priority: 1 } as never))).toMatchObject({
    code: 'INVALID_OPTION',
    message: 'ready has no option "priority" (given 1): known are timeoutMs, signal',
  })
})

test('a transaction on a lease refuses an isolation that does not exist before anything is sent', async () => {
  const { clock, pool, server } = sqlWorld()
  const error = await clock.until(
    refusal(() =>
      pool.use((lease) => lease.transaction((tx) => tx.query('x'), { isolation: 'serialisable' as never })),
    ),
  )
  expect(error).toMatchObject({ code: 'INVALID_OPTION', option: 'isolation' })
  expect(server.log.filter(({ sql }) => sql !== '')).toEqual([])
})

describe('createPool', () => {
  test('says what it takes, and what was given instead', async () => {
    for (const [given, shown] of [
      [42, '42'],
      [undefined, 'undefined'],
      [null, 'null'],
      [[], 'an array'],
      [() => {}, 'a function'],
      [{ host: 'db' }, 'an object'],
    ]) {
      const error = await refusal(() => createPool(given as never))
      expect(error).toMatchObject({ code: 'INVALID_OPTION' })
      expect(String(error)).toMatch(
        /createPool takes a URL such as postgres:\/\/.*, or a driver such as pg\(.*\): given was /,
      )
      expect(String(error)).toContain(`given was ${shown}`)
    }
  })

  test('names what a driver lacks that is one of something else', async () => {
    const driver = { name: 'things', connect: async () => ({}), close: () => {} }
    expect(String(await refusal(() => createPool(driver as never)))).toMatch(
      /driver "things" has no query\(\).*createResourcePool/,
    )
  })

  test("takes a URL that is none of this realm's, as Jest gives", () => {
    const foreign = { href: 'sqlite::memory:?pool.name=foreign', toString: () => 'no' }
    expect(createPool(foreign as never).name).toBe('foreign')
  })
})

test('createResourcePool says what a driver is, and what was given instead', async () => {
  expect(await refusal(() => createResourcePool(42 as never))).toMatchObject({
    code: 'INVALID_OPTION',
    message: 'a driver is an object with name, connect() and close(), not 42',
  })
})

test('closeOnSignal takes a list of signals that can be listened to', async () => {
  const pool = { close: async () => ({}) as never }
  for (const signals of ['SIGTERM', null, ['SIGFOO'], ['SIGKILL'], [5]]) {
    expect(await refusal(() => closeOnSignal(pool, signals as never))).toMatchObject({
      code: 'INVALID_OPTION',
      option: 'signals',
    })
  }
  expect(process.listenerCount('SIGFOO')).toBe(0)
})

test('sharedPool takes a name and a function', async () => {
  for (const [name, create] of [
    ['x', undefined],
    ['x', 5],
    [5, () => ({})],
    ['', () => ({})],
  ]) {
    expect(await refusal(() => sharedPool(name as never, create as never))).toMatchObject({
      code: 'INVALID_OPTION',
    })
  }
})

test('0 uses are refused as every 0 is that would mean never', async () => {
  const { clock, driver } = sqlWorld()
  expect(await refusal(() => createPool(driver, { clock, maxUses: 0 }))).toMatchObject({
    message: 'option "maxUses" is 0: it must be a whole number of at least 1 (Infinity = never)',
  })
})

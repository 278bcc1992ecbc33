import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { DEFAULTS, type PoolOptions } from '../../../src/contract/options.ts'
import { OPTION_NAMES, resolveOptions } from '../../../src/contract/resolve-options.ts'
import { createPool } from '../../../src/create-pool.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { FakeServer } from '../../../src/testing/fake-server.ts'
import { fate, world } from '../../support/world.ts'

const driver = new FakeServer().driver()

function refusal(options: unknown): InvalidOptionError {
  try {
    createResourcePool(driver, options as PoolOptions)
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidOptionError)
    return error as InvalidOptionError
  }
  throw new Error(`${String(options)} was accepted`)
}

describe('options', () => {
  test('have the documented defaults', () => {
    expect(resolveOptions({}, driver)).toMatchObject(DEFAULTS)
    expect(DEFAULTS).toEqual({
      min: 0,
      max: 10,
      maxOverflow: 0,
      acquireTimeoutMs: 30_000,
      connectTimeoutMs: 10_000,
      validateTimeoutMs: 5_000,
      resetTimeoutMs: 5_000,
      closeTimeoutMs: 5_000,
      maxWaiting: Number.POSITIVE_INFINITY,
      idleTimeoutMs: 600_000,
      maxLifetimeMs: 1_800_000,
      lifetimeJitter: 0.25,
      maxUses: Number.POSITIVE_INFINITY,
      validateAfterIdleMs: 1_000,
      keepaliveMs: 0,
      idleOrder: 'lifo',
      reset: 'rollback',
      leakThresholdMs: 0,
      multiplex: 'auto',
      pooler: 'none',
      overload: 'queue',
      exitWhenIdle: false,
    })
  })

  test('undefined means the default, for every one of them', () => {
    const nothing = Object.fromEntries(OPTION_NAMES.map((name) => [name, undefined]))
    expect(resolveOptions(nothing, driver)).toMatchObject(DEFAULTS)
  })

  test('are the caller’s to change afterwards: the pool has its own', () => {
    const given = { max: 3 }
    const pool = createResourcePool(driver, given)
    given.max = 99
    expect(pool.stats().max).toBe(3)
    expect(Object.isFrozen(resolveOptions(given, driver))).toBe(true)
  })

  test('0 is respected where the table gives it a meaning', () => {
    for (const name of [
      'min',
      'maxOverflow',
      'maxIdle',
      'acquireTimeoutMs',
      'maxWaiting',
      'lifetimeJitter',
    ] as const)
      expect(resolveOptions({ [name]: 0 }, driver)[name]).toBe(0)
    for (const name of ['validateAfterIdleMs', 'keepaliveMs', 'leakThresholdMs'] as const)
      expect(resolveOptions({ [name]: 0 }, driver)[name]).toBe(0)
  })

  test('0 is refused with "Infinity = never" where it has none', () => {
    const names = [
      'connectTimeoutMs',
      'validateTimeoutMs',
      'resetTimeoutMs',
      'closeTimeoutMs',
      'idleTimeoutMs',
      'maxLifetimeMs',
    ]
    for (const name of names) {
      const error = refusal({ [name]: 0 })
      expect(error.option).toBe(name)
      expect(error.message).toContain('Infinity = never')
    }
    expect(refusal({ maxUses: 0 }).message).toContain('Infinity')
  })

  test('Infinity is allowed for every ...Ms and max... except max', () => {
    const names = OPTION_NAMES.filter((name) => /Ms$|^max./.test(name) && name !== 'max')
    for (const name of names)
      expect(resolveOptions({ [name]: Number.POSITIVE_INFINITY }, driver)[name]).toBe(
        Number.POSITIVE_INFINITY,
      )
    expect(refusal({ max: Number.POSITIVE_INFINITY }).option).toBe('max')
    expect(refusal({ min: Number.POSITIVE_INFINITY }).option).toBe('min')
  })

  test('min above max, or maxIdle below min, is refused, also against a default', () => {
    expect(refusal({ min: 3, max: 2 })).toMatchObject({ option: 'min' })
    expect(refusal({ min: 11 }).message).toMatch(/11.*10/)
    expect(refusal({ min: 2, maxIdle: 1 })).toMatchObject({ option: 'maxIdle' })
  })

  test('a name is a text that says something', () => {
    for (const name of ['', '  ', 5, null]) expect(refusal({ name })).toMatchObject({ option: 'name' })
  })

  test('what the driver cannot do is refused rather than ignored', () => {
    const poor = new FakeServer().resourceDriver({ without: ['isAlive', 'reset', 'unref'] })
    for (const options of [{ keepaliveMs: 5 }, { reset: 'full' }, { exitWhenIdle: true }] as PoolOptions[]) {
      const [option] = Object.keys(options)
      expect(() => createResourcePool(poor, options as never)).toThrow(expect.objectContaining({ option }))
    }
    expect(() => createResourcePool(poor)).not.toThrow()
  })

  test('that are no object are refused', () => {
    for (const options of [null, 'max=5', 5])
      expect(refusal(options)).toMatchObject({ code: 'INVALID_OPTION' })
    expect(() => createPool('postgres://h/db', null as never)).toThrow(InvalidOptionError)
    expect(() => createPool('postgres://h/db', 'max=5' as never)).toThrow(InvalidOptionError)
  })

  test('a driver that is none is refused by what it lacks', () => {
    for (const given of [null, undefined, {}, { name: 'x', connect() {} }, 5])
      expect(() => createResourcePool(given as never)).toThrow(/driver/)
    const { query: _, ...withoutQuery } = driver
    expect(() => createPool(withoutQuery as never)).toThrow(/query\(\).*createResourcePool/)
  })
})

describe('an unknown option', () => {
  test('is named, with its value and the nearest known name', () => {
    const error = refusal({ acquireTimout: 5000 })
    expect(error).toMatchObject({
      name: 'InvalidOptionError',
      code: 'INVALID_OPTION',
      option: 'acquireTimout',
    })
    expect(error.message).toContain('"acquireTimout"')
    expect(error.message).toContain('5000')
    expect(error.message).toContain('"acquireTimeoutMs"')
    for (const [given, meant] of [
      ['maxx', 'max'],
      ['Max', 'max'],
      ['idleTimeout', 'idleTimeoutMs'],
      ['idleTimeoutMillis', 'idleTimeoutMs'],
      ['maxLifetime', 'maxLifetimeMs'],
      ['validateTimeout', 'validateTimeoutMs'],
      ['on_connect', 'onConnect'],
    ])
      expect(refusal({ [given as string]: 1 }).message).toContain(`"${meant}"`)
  })

  test('that is like none is answered by the list of those that exist', () => {
    expect(refusal({ xyzzy: 1 }).message).toContain('acquireTimeoutMs')
  })

  test('never shows a password, whatever it was given as', () => {
    for (const options of [
      { password: 'hunter2' },
      { PASSWORD: 'hunter2' },
      { connectionString: 'postgres://user:hunter2@host/db' },
      { url: 'postgres://user:hunter2@host/db' },
      { ssl: { key: 'hunter2' } },
      { token: 'hunter2' },
      { maxx: 'postgres://user:hunter2@host/db' },
      { max: 'postgres://user:hunter2@host/db' },
    ]) {
      const error = refusal(options)
      expect(error.message).not.toContain('hunter2')
      expect(error.message).toContain(Object.keys(options)[0])
    }
  })
})

describe('priority, label and the like', () => {
  test('of an acquire are judged when it is called', async () => {
    const { clock, pool } = world()
    const fates = [
      fate(pool.acquire({ priority: '1' as never })),
      fate(pool.acquire({ timeoutMs: '5' as never })),
      fate(pool.acquire(null as never)),
      fate(pool.acquire({ timeout: 5 } as never)),
      fate(pool.use(() => {}, { timeOutMs: 5 } as never)),
    ]
    await clock.advance(0)
    expect(fates.map(({ state }) => state)).toEqual(Array(5).fill('rejected'))
    expect(fates[3]?.error).toMatchObject({ code: 'INVALID_OPTION', option: 'timeout' })
  })
})

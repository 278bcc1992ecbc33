import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../../src/contract/errors.ts'
import type { PoolOptions, ResolvedOptions } from '../../src/contract/options.ts'
import { OPTION_NAMES, resizeOptions, resolveOptions } from '../../src/contract/resolve-options.ts'
import { createPool } from '../../src/create-pool.ts'
import { splitPoolParams } from '../../src/drivers/pool-params.ts'
import { FakeServer } from '../../src/testing/fake-server.ts'

const driver = new FakeServer().driver()

/** Wrong for every option that is a number. */
const nonsense = fc.oneof(
  fc.constantFrom<unknown>(null, Number.NaN, -1, Number.NEGATIVE_INFINITY, true, '5', 'ten', [], {}, 5n),
  fc.string(),
  fc.double({ max: -0.001, noNaN: true }),
  fc.constant(Symbol('s')),
  fc.constant(() => 5),
)
const numeric = OPTION_NAMES.filter((name) => /Ms$|^m(ax|in)|Jitter$/.test(name))

describe('options', () => {
  test('nonsense in, a clear error out: it names the option, the value and what is allowed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...numeric), nonsense, (name, value) => {
        try {
          resolveOptions({ [name]: value } as PoolOptions, driver)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidOptionError)
          expect(error).toMatchObject({ option: name, code: 'INVALID_OPTION' })
          const { message } = error as Error
          expect(message).toContain(`"${name}"`)
          expect(message).toMatch(/must be/)
          expect(message.length).toBeLessThan(300)
          return
        }
        throw new Error(`${name} ${String(value)} was accepted`)
      }),
    )
  })

  test('any object is either resolved or refused with InvalidOptionError', () => {
    const anything = fc.dictionary(
      fc.oneof(fc.constantFrom<string>(...OPTION_NAMES), fc.string()),
      fc.anything(),
      {
        maxKeys: 4,
        noNullPrototype: false,
      },
    )
    fc.assert(
      fc.property(anything, (given) => {
        let resolved: Pick<ResolvedOptions, 'min' | 'max' | 'connectTimeoutMs'>
        try {
          resolved = resolveOptions(given as PoolOptions, driver)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidOptionError)
          return
        }
        expect(resolved.min).toBeLessThanOrEqual(resolved.max)
        expect(Number.isSafeInteger(resolved.max)).toBe(true)
        expect(resolved.connectTimeoutMs).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })

  test('a known name with one letter wrong is recognised', () => {
    const known = OPTION_NAMES.filter((name) => name.length > 5)
    fc.assert(
      fc.property(
        fc.constantFrom(...known),
        fc.nat(),
        fc.constantFrom('drop', 'double', 'change'),
        (name, at, how) => {
          const i = at % name.length
          const letter = how === 'drop' ? '' : how === 'double' ? `${name[i]}${name[i]}` : 'q'
          const wrong = name.slice(0, i) + letter + name.slice(i + 1)
          fc.pre(!OPTION_NAMES.includes(wrong as never))
          expect(() => resolveOptions({ [wrong]: 1 } as PoolOptions, driver)).toThrow(
            `did you mean "${name}"?`,
          )
        },
      ),
    )
  })

  test('resize is all or nothing: what is refused leaves the old ones, what is accepted fits together', () => {
    const change = fc.dictionary(
      fc.constantFrom('min', 'max', 'maxIdle', 'maxOverflow', 'idleTimeoutMs', 'name', 'maxx'),
      fc.oneof(
        fc.integer({ min: -2, max: 20 }),
        fc.constantFrom(undefined, Number.POSITIVE_INFINITY, Number.NaN, '5'),
      ),
    )
    const current = resolveOptions({ min: 2, max: 8 }, driver)
    fc.assert(
      fc.property(change, (given) => {
        try {
          const { min, max, maxIdle = max } = resizeOptions(current, given as never, driver)
          expect(min).toBeLessThanOrEqual(max)
          expect(min).toBeLessThanOrEqual(maxIdle)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidOptionError)
        }
        expect(current).toMatchObject({ min: 2, max: 8 })
      }),
    )
  })
})

describe('the pool.* parameters of a URL', () => {
  const rest = fc.array(
    fc.tuple(
      fc.stringMatching(/^[a-z_]{1,8}$/),
      fc.webQueryParameters().map((text) => text.replace(/[&#]/g, '')),
    ),
    { maxLength: 4 },
  )

  test('are taken out, and what remains is kept byte for byte', () => {
    fc.assert(
      fc.property(
        rest,
        fc.dictionary(fc.stringMatching(/^[a-zA-Z]{1,12}$/), fc.string(), { maxKeys: 4 }),
        (others, pool) => {
          const kept = others.map(([name, value]) => `${name}=${value}`)
          const mine = Object.entries(pool).map(
            ([name, value]) => `pool.${name}=${encodeURIComponent(value)}`,
          )
          const all: string[] = []
          for (let n = 0; n < Math.max(kept.length, mine.length); n++) {
            if (kept[n] !== undefined) all.push(kept[n] as string)
            if (mine[n] !== undefined) all.push(mine[n] as string)
          }
          const base = 'postgres://user:p%40ss@host:5432/db'
          const url = all.length === 0 ? base : `${base}?${all.join('&')}`
          const split = splitPoolParams(url)
          expect(split.pool).toEqual({ ...pool })
          expect(split.url).toBe(kept.length === 0 ? base : `${base}?${kept.join('&')}`)
        },
      ),
    )
  })

  test('become options: numbers, Infinity and truth values are read; the argument wins', () => {
    const pool = createPool(
      'postgres://h/db?pool.max=7&pool.name=5&pool.idleTimeoutMs=Infinity&pool.lifetimeJitter=0.5&pool.idleOrder=fifo&pool.exitWhenIdle=true&pool.min=1',
      { min: 0, max: undefined },
    )
    expect(pool.name).toBe('5')
    const { options } = pool as unknown as { options: ResolvedOptions }
    expect(options).toMatchObject({
      max: 7,
      min: 0,
      idleTimeoutMs: Number.POSITIVE_INFINITY,
      lifetimeJitter: 0.5,
      idleOrder: 'fifo',
      exitWhenIdle: true,
    })
  })

  test('that are unknown, impossible or only for code are refused by name', () => {
    for (const [params, option] of [
      ['pool.maxx=5', 'maxx'],
      ['pool.max=zero', 'max'],
      ['pool.max=', 'max'],
      ['pool.max=0x10', 'max'],
      ['pool.max=1e3', 'max'],
      ['pool.max=-5', 'max'],
      ['pool.max=5&pool.min=6', 'min'],
      ['pool.onConnect=x', 'onConnect'],
      ['pool.clock=x', 'clock'],
      ['pool.__proto__=1', '__proto__'],
      ['pool.constructor=1', 'constructor'],
      ['pool.=1', ''],
    ]) {
      expect(() => createPool(`postgres://h/db?${params}`)).toThrow(expect.objectContaining({ option }))
    }
  })

  test('any of them are read or refused with InvalidOptionError, and no name reaches the prototype', () => {
    const name = fc.oneof(fc.constantFrom<string>(...OPTION_NAMES, '__proto__', 'toString'), fc.string())
    fc.assert(
      fc.property(name, fc.string(), (option, value) => {
        try {
          createPool(`postgres://h/db?pool.${encodeURIComponent(option)}=${encodeURIComponent(value)}`)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidOptionError)
        }
        expect(({} as Record<string, unknown>).polluted).toBeUndefined()
      }),
    )
  })
})

import { describe, expect, test } from 'vitest'
import type { Driver } from '../../../src/contract/driver.ts'
import type { PoolOptions } from '../../../src/contract/options.ts'
import { resolveOptions } from '../../../src/contract/resolve-options.ts'
import { Slot } from '../../../src/engine/slot.ts'
import { Caretaker } from '../../../src/pool/caretaker.ts'
import { underWay } from '../../support/under-way.ts'

type Conn = { dirty: boolean | undefined }

interface Facts {
  dirty?: boolean | undefined
  resets?: boolean
  stale?: boolean
  options?: PoolOptions<Conn>
}

/** A caretaker alone, with a driver that writes down what it is asked. */
function scene({ dirty, resets = true, stale, options = {} }: Facts = {}) {
  const asked: string[] = []
  const signals: AbortSignal[] = []
  const connection: Conn = { dirty }
  const driver: Driver<Conn> = {
    name: 'd',
    connect: async () => connection,
    close: () => {},
    isDirty: (conn) => conn.dirty as boolean,
    ...(resets && {
      reset: async (conn: Conn, how: string) => {
        asked.push(`reset ${how}`)
        conn.dirty = false
      },
    }),
    ...(stale !== undefined && {
      confirmStale: async () => {
        asked.push('stale?')
        return stale
      },
    }),
  }
  const resolved = resolveOptions<Conn>(options, driver)
  const staleSlots: unknown[] = []
  const pool = { options: resolved, stale: (slot: unknown) => void staleSlots.push(slot) }
  const caretaker = new Caretaker<Conn, object>(driver, pool)
  const slot = new Slot<Conn, object>(1, { generation: 0, chance: 0, now: 0 })
  slot.connection = connection
  return { asked, signals, caretaker, slot, driver, connection, staleSlots }
}

describe('what the return of a connection asks for', () => {
  const FULL = { options: { reset: 'full' as const } }
  const NONE = { options: { reset: 'none' as const } }
  test.each([
    ['nothing where it is clean', { dirty: false }, 'none'],
    ['a rollback where it is dirty', { dirty: true }, 'clean'],
    ['a rollback where nobody can tell', {}, 'clean'],
    ['an end where it is dirty and nothing resets', { dirty: true, resets: false }, 'discard'],
    ['nothing where nobody can tell, and nothing resets', { resets: false }, 'none'],
    ['an end where it is dirty and no reset is wanted', { dirty: true, ...NONE }, 'discard'],
    ['nothing where nobody can tell and no reset is wanted', NONE, 'none'],
    ['a full reset, clean or not', { dirty: false, ...FULL }, 'clean'],
    ['the user’s own reset, clean or not', { dirty: false, options: { reset: async () => {} } }, 'clean'],
    ['the hook, where there is one', { dirty: false, options: { onRelease: () => {} } }, 'clean'],
  ] as [string, Facts, string][])('is %s', (_, facts, expected) => {
    const { caretaker, slot } = scene(facts)
    expect(caretaker.cleaningOf(slot)).toBe(expected)
  })

  test('is a reset of a changed session, or an end where nothing resets', () => {
    const { caretaker, slot } = scene({ dirty: false })
    slot.tainted = true
    expect(caretaker.cleaningOf(slot)).toBe('clean')
    const other = scene({ dirty: false, resets: false })
    other.slot.tainted = true
    expect(other.caretaker.cleaningOf(other.slot)).toBe('discard')
  })

  test('is a question where it is in doubt whether the server was demoted', () => {
    const { caretaker, slot } = scene({ dirty: false })
    slot.inDoubt = true
    expect(caretaker.cleaningOf(slot)).toBe('clean')
  })

  test('is an end where asking it fails, and it cannot be reset', () => {
    const { caretaker, slot, driver } = scene({ resets: false })
    driver.isDirty = () => {
      throw new Error('no idea')
    }
    expect(caretaker.cleaningOf(slot)).toBe('discard')
  })
})

describe('cleaning', () => {
  test('rolls back what may be dirty, and leaves alone what is clean', async () => {
    for (const [dirty, expected] of [
      [true, ['reset rollback']],
      [undefined, ['reset rollback']],
      [false, []],
    ] as const) {
      const { caretaker, slot, asked } = scene({ dirty })
      await caretaker.clean(slot, undefined)
      expect(asked).toEqual(expected)
    }
  })

  test('of what nobody can tell, or reset, does nothing', async () => {
    const { caretaker, slot, asked } = scene({ resets: false })
    await caretaker.clean(slot, undefined)
    expect(asked).toEqual([])
  })

  test('begins when the last statement has ended, unless it was ended before', async () => {
    const { caretaker, slot, asked } = scene({ dirty: true })
    const quiet = underWay<void>()
    const cleaned = caretaker.clean(slot, quiet.promise)
    await Promise.resolve()
    expect(asked).toEqual([])
    quiet.resolve()
    await cleaned
    expect(asked).toEqual(['reset rollback'])
    const other = scene({ dirty: true })
    const late = underWay<void>()
    const ended = other.caretaker.clean(other.slot, late.promise)
    other.caretaker.abort(other.slot)
    late.resolve()
    await expect(ended).rejects.toThrow('no longer waits')
    expect(other.asked).toEqual([])
  })

  test('makes a changed session new: a full reset, then onConnect with a signal', async () => {
    const given: unknown[] = []
    const { caretaker, slot, asked } = scene({
      dirty: false,
      options: { onConnect: (_, { signal }) => void given.push(signal instanceof AbortSignal) },
    })
    slot.tainted = true
    await caretaker.clean(slot, undefined)
    expect([asked, given, slot.tainted]).toEqual([['reset full'], [true], false])
    const cannot = scene({ dirty: false, resets: false })
    cannot.slot.tainted = true
    await expect(cannot.caretaker.clean(cannot.slot, undefined)).rejects.toThrow('cannot reset')
  })

  test('runs the user’s own reset with a signal, and fails where it does not help', async () => {
    const { caretaker, slot, connection } = scene({
      dirty: true,
      options: {
        reset: (conn, { signal }) => {
          if (signal instanceof AbortSignal) conn.dirty = false
        },
      },
    })
    await caretaker.clean(slot, undefined)
    expect(connection.dirty).toBe(false)
    const idle = scene({ dirty: true, options: { reset: () => {} } })
    await expect(idle.caretaker.clean(idle.slot, undefined)).rejects.toThrow('still dirty')
  })

  test('runs the hook at last, with a signal, and fails where it leaves dirt', async () => {
    const given: unknown[] = []
    const { caretaker, slot } = scene({
      dirty: false,
      options: { onRelease: (_, { signal }) => void given.push(signal instanceof AbortSignal) },
    })
    await caretaker.clean(slot, undefined)
    expect(given).toEqual([true])
    const spoilt = scene({
      dirty: false,
      options: {
        onRelease: (conn) => {
          conn.dirty = true
        },
      },
    })
    await expect(spoilt.caretaker.clean(spoilt.slot, undefined)).rejects.toThrow('still dirty')
  })

  test('asks a server in doubt whether it was demoted, once', async () => {
    for (const stale of [true, false]) {
      const { caretaker, slot, asked, staleSlots } = scene({ dirty: false, stale })
      slot.inDoubt = true
      await caretaker.clean(slot, undefined)
      await caretaker.clean(slot, undefined)
      expect([asked, slot.inDoubt, staleSlots.length]).toEqual([['stale?'], false, stale ? 1 : 0])
    }
    const mute = scene({ dirty: false })
    mute.slot.inDoubt = true
    await mute.caretaker.clean(mute.slot, undefined)
    expect(mute.staleSlots).toEqual([])
  })
})

describe('a check', () => {
  test('is passed unless the answer is no', async () => {
    const { caretaker, slot, driver } = scene()
    driver.isAlive = async () => true
    expect(await caretaker.check(slot)).toBe(true)
    driver.isAlive = async () => false
    expect(await caretaker.check(slot)).toBe(false)
    delete driver.isAlive
    expect(await caretaker.check(slot)).toBe(true)
  })

  test('has a phase that can be ended, as long as it lasts and no longer', async () => {
    const { caretaker, slot, driver } = scene()
    const answer = underWay<boolean>()
    let seen: AbortSignal | undefined
    driver.isAlive = (_, { signal }) => {
      seen = signal
      return answer.promise
    }
    const checked = caretaker.check(slot)
    expect(slot.phase?.signal).toBe(seen)
    answer.resolve(true)
    await checked
    expect(slot.phase).toBeUndefined()
    const next = caretaker.check(slot)
    caretaker.abort(slot)
    expect([seen?.aborted, slot.phase]).toEqual([true, undefined])
    const other = new AbortController()
    slot.phase = other
    await next
    expect(slot.phase).toBe(other)
  })

  test('prepares nothing where there is no hook', async () => {
    const { caretaker, slot } = scene()
    await caretaker.prepare(slot, { options: {} })
    expect(slot.phase).toBeUndefined()
  })
})

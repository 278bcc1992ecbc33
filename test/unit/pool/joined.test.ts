import { describe, expect, test } from 'vitest'
import { Slot } from '../../../src/engine/slot.ts'
import { JoinedLeases } from '../../../src/pool/joined-leases.ts'
import type { Holder, PoolLease } from '../../../src/pool/pool-lease.ts'
import { fate, world } from '../../support/world.ts'

const slotOf = (id: number) => new Slot<object, Holder>(id, { generation: 0, chance: 0, now: 0 })

function lease(stack?: string) {
  const revoked: unknown[] = []
  const made = { stack, revoke: (...why: unknown[]) => void revoked.push(why) }
  return { lease: made as unknown as PoolLease<object>, revoked }
}

describe('leases that have joined', () => {
  test('are none under a key that nobody has', () => {
    const joined = new JoinedLeases<object>()
    expect([joined.slotOf('a'), joined.oneOf('a')]).toEqual([undefined, undefined])
    const slot = slotOf(1)
    const { lease: one } = lease()
    slot.holder = one
    expect([joined.leave(slot, one), joined.isJoined(slot)]).toEqual([true, false])
    joined.end(slot)
    joined.join('a', slot, one)
    expect([joined.slotOf('b'), joined.oneOf('b')]).toEqual([undefined, undefined])
  })

  test('are found by their key until the last has left', () => {
    const joined = new JoinedLeases<object>()
    const slot = slotOf(1)
    const [one, other] = [lease('the first'), lease('the second')]
    joined.join('a', slot, one.lease)
    expect([joined.slotOf('a'), joined.oneOf('a'), joined.isJoined(slot)]).toEqual([slot, one.lease, false])
    joined.join('a', slot, other.lease)
    expect([joined.isJoined(slot), slot.holder?.stack]).toEqual([true, 'the first'])
    expect(joined.leave(slot, one.lease)).toBe(false)
    expect([joined.oneOf('a'), slot.holder?.stack, joined.isJoined(slot)]).toEqual([
      other.lease,
      'the second',
      false,
    ])
    expect(joined.leave(slot, other.lease)).toBe(true)
    expect([joined.slotOf('a'), slot.holder?.stack]).toEqual([undefined, undefined])
  })

  test('end together when the pool ends them, and nobody joins any more', () => {
    const joined = new JoinedLeases<object>()
    const [slot, alone] = [slotOf(1), slotOf(2)]
    const [one, other, third] = [lease(), lease(), lease()]
    joined.join('a', slot, one.lease)
    joined.join('a', slot, other.lease)
    joined.join('b', alone, third.lease)
    joined.end(slot)
    slot.holder?.revoke('lost', 'why')
    expect([one.revoked, other.revoked, third.revoked]).toEqual([[['lost', 'why']], [['lost', 'why']], []])
    expect([joined.slotOf('a'), joined.slotOf('b')]).toEqual([undefined, alone])
  })
})

describe('who waits with a key', () => {
  test('is served with the first of them, and forgotten when giving up', async () => {
    const { clock, pool } = world({ max: 1 })
    const holder = await clock.until(pool.acquire())
    const waiting = [1, 2, 3].map((n) => fate(pool.acquire({ key: 'a', timeoutMs: n === 2 ? 10 : 1_000 })))
    const other = fate(pool.acquire({ key: 'b' }))
    await clock.advance(10)
    holder.release()
    await clock.advance(0)
    expect(waiting.map(({ state }) => state)).toEqual(['resolved', 'rejected', 'resolved'])
    expect(other.state).toBe('pending')
    waiting[0]?.value?.release()
    expect(pool.stats().leased).toBe(1)
    waiting[2]?.value?.release()
    await clock.advance(0)
    expect(other.state).toBe('resolved')
    expect(pool.stats()).toMatchObject({ waiting: 0, acquired: 4, timedOut: 1 })
  })

  test('and nobody without one has anything to do with them', async () => {
    const { clock, pool } = world({ max: 1 })
    const holder = await clock.until(pool.acquire())
    const [plain, keyed] = [fate(pool.acquire()), fate(pool.acquire({ key: 'a' }))]
    const alsoPlain = fate(pool.acquire())
    holder.release()
    await clock.advance(0)
    expect([plain, keyed, alsoPlain].map(({ state }) => state)).toEqual(['resolved', 'pending', 'pending'])
  })
})

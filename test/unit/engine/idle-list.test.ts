import { describe, expect, test } from 'vitest'
import { IdleList } from '../../../src/engine/idle-list.ts'
import { Slot } from '../../../src/engine/slot.ts'

type TestSlot = Slot<object, object>

function idle(usedAt: number, affinity?: unknown): TestSlot {
  return Object.assign(new Slot<object, object>(1, { generation: 0, chance: 0, now: 0 }), {
    usedAt,
    affinity,
  })
}

function listOf(...slots: TestSlot[]): IdleList<object, object> {
  const list = new IdleList<object, object>()
  for (const slot of slots) list.add(slot)
  return list
}

function fromColdest(list: IdleList<object, object>): TestSlot[] {
  const slots: TestSlot[] = []
  for (let slot = list.coldest; slot !== undefined; slot = slot.warmer) slots.push(slot)
  return slots
}

describe('the idle connections', () => {
  test('stand by their last use, whenever they come; of two of the same time the later is the warmer', () => {
    const [a, b, c, d] = [idle(2), idle(1), idle(3), idle(2)] as const
    const list = listOf(a, b, c, d)
    expect(fromColdest(list)).toEqual([b, a, d, c])
    expect([list.coldest, list.warmest, list.size]).toEqual([b, c, 4])
  })

  test('leave from any place, and nothing of them stays', () => {
    for (const at of [0, 1, 2]) {
      const all = [idle(1), idle(2), idle(3)]
      const list = listOf(...all)
      const [gone] = all.splice(at, 1) as [TestSlot]
      list.remove(gone)
      expect(fromColdest(list)).toEqual(all)
      expect([list.coldest, list.warmest, list.size]).toEqual([all[0], all[1], 2])
      expect([gone.colder, gone.warmer]).toEqual([undefined, undefined])
    }
  })

  test('are known by what they were last used with, until the last of them leaves', () => {
    const [early, late, stranger] = [idle(1, 'a'), idle(2, 'a'), idle(3)]
    const list = listOf(early, late, stranger)
    expect(list.lastUsedWith('a')).toBe(late)
    list.remove(early)
    list.remove(stranger)
    expect(list.lastUsedWith('a')).toBe(late)
    list.remove(late)
    expect([list.lastUsedWith('a'), list.lastUsedWith(undefined)]).toEqual([undefined, undefined])
  })

  test('that were used with nothing in particular are nobody’s', () => {
    expect(listOf(idle(1)).lastUsedWith(undefined)).toBeUndefined()
  })
})

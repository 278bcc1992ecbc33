import { describe, expect, test } from 'vitest'
import { Alarm } from '../../../src/pool/alarm.ts'
import { Appointment, Timetable } from '../../../src/pool/timetable.ts'
import { promiseJobs, VirtualClock } from '../../../src/testing/virtual-clock.ts'

function scene() {
  const clock = new VirtualClock({ settle: promiseJobs })
  const timetable = Timetable.of(clock)
  const woken: (number | string)[][] = []
  const add = (at: number, name = `${at}`, keepsAlive = true) => {
    const appointment = new Appointment(at, {
      sleeper: { wake: (lateByMs) => void woken.push([name, clock.now(), lateByMs]) },
      keepsAlive,
    })
    timetable.add(appointment)
    return appointment
  }
  return { clock, timetable, woken, add }
}

describe('a timetable', () => {
  test('is one for each clock', () => {
    const { clock, timetable } = scene()
    expect(Timetable.of(clock)).toBe(timetable)
    expect(Timetable.of(new VirtualClock())).not.toBe(timetable)
  })

  test('wakes each at its time, with one timer for all', () => {
    const { clock, add, woken } = scene()
    for (const at of [30, 10, 20, 10]) add(at)
    expect(clock.pending).toBe(1)
    clock.tick(25)
    expect(woken).toEqual([
      ['10', 10, 0],
      ['10', 10, 0],
      ['20', 20, 0],
    ])
    expect(clock.pending).toBe(1)
    clock.tick(5)
    expect(woken).toHaveLength(4)
    expect(clock.pending).toBe(0)
  })

  test('says how late it is when the loop was blocked', () => {
    const { clock, add, woken } = scene()
    add(10)
    clock.block(35)
    clock.tick(0)
    expect(woken).toEqual([['10', 35, 25]])
    add(20, 'in the past')
    clock.tick(0)
    expect(woken[1]).toEqual(['in the past', 35, 15])
  })

  test('wakes nobody who has cancelled, and leaves no timer for nobody', () => {
    const { clock, timetable, add, woken } = scene()
    const [one, other] = [add(10), add(20)]
    timetable.cancel(one)
    timetable.cancel(one)
    clock.tick(15)
    expect(woken).toEqual([])
    timetable.cancel(other)
    expect(clock.pending).toBe(0)
    expect(clock.referenced).toBe(0)
  })

  test('moves its timer forward only: to be woken for nothing is cheaper than to move it back', () => {
    const { clock, timetable, add, woken } = scene()
    const early = add(10)
    const timers: number[] = []
    const { after } = clock
    clock.after = (ms, run) => {
      timers.push(ms)
      return after.call(clock, ms, run)
    }
    add(20)
    timetable.cancel(early)
    expect(timers).toEqual([])
    clock.tick(10)
    expect([timers, woken]).toEqual([[10], []])
    add(12)
    expect(timers).toEqual([10, 2])
  })

  test('keeps the process alive as long as an appointment or somebody asks for it', () => {
    const { clock, timetable, add } = scene()
    add(10, 'idle', false)
    expect(clock.referenced).toBe(0)
    const busy = add(20)
    expect(clock.referenced).toBe(1)
    timetable.cancel(busy)
    expect(clock.referenced).toBe(0)
    timetable.hold()
    timetable.hold()
    timetable.letGo()
    expect(clock.referenced).toBe(1)
    timetable.letGo()
    expect(clock.referenced).toBe(0)
    timetable.hold()
    add(5, 'earlier', false)
    expect(clock.referenced).toBe(1)
    clock.tick(10)
    timetable.letGo()
    expect([clock.pending, clock.referenced]).toEqual([0, 0])
  })

  test('lets the process go when what kept it alive has been', () => {
    const { clock, add } = scene()
    add(10)
    add(20, 'idle', false)
    clock.tick(10)
    expect([clock.pending, clock.referenced]).toEqual([1, 0])
  })
})

describe('an alarm', () => {
  test('rings at the one time that was set last', () => {
    const { clock } = scene()
    const rung: number[][] = []
    const alarm = new Alarm(clock, { ring: (lateByMs) => void rung.push([clock.now(), lateByMs]) })
    alarm.set(10, { keepsAlive: true })
    alarm.set(30, { keepsAlive: true })
    clock.tick(100)
    expect(rung).toEqual([[30, 0]])
    alarm.set(110, { keepsAlive: true })
    alarm.clear()
    alarm.clear()
    clock.tick(100)
    expect([rung.length, clock.pending]).toEqual([1, 0])
  })

  test('lets what has arrived be read first when it is more than 20 ms late', () => {
    const { clock } = scene()
    const told: string[] = []
    const alarm = new Alarm(clock, { ring: (lateByMs) => void told.push(`ring ${lateByMs}`) })
    alarm.set(10, { keepsAlive: true })
    clock.io(10, () => void told.push('arrived'))
    clock.block(30)
    clock.tick(0)
    expect(told).toEqual(['ring 0', 'arrived'])
    alarm.set(40, { keepsAlive: true })
    clock.io(10, () => void told.push('arrived'))
    clock.block(31)
    clock.tick(0)
    expect(told.slice(2)).toEqual(['arrived', 'ring 21'])
  })
})

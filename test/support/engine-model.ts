import type { Clock } from '../../src/contract/clock.ts'
import type { PoolOptions } from '../../src/contract/options.ts'
import { resolveOptions } from '../../src/contract/resolve-options.ts'
import { Engine } from '../../src/engine/engine.ts'
import type { Ports, Refusal } from '../../src/engine/ports.ts'
import type { Slot } from '../../src/engine/slot.ts'
import { Waiter } from '../../src/engine/waiter.ts'

type AnySlot = Slot<object, object>

/** A waiter whose end is counted. */
export class Caller extends Waiter {
  ends: string[] = []
  got: AnySlot | undefined = undefined
}

const driver = {
  name: 'model',
  connect: () => Promise.reject(new Error('never called')),
  close: () => {},
  isAlive: () => true,
  reset: () => {},
  unref: () => {},
}

/** An engine whose ports do nothing but remember: what is under way ends when the test says so. */
export class EngineModel implements Ports<object, object> {
  now = 0
  wall = 1e12
  chance = 0.5
  readonly engine: Engine<object, object>
  readonly callers: Caller[] = []
  readonly connecting = new Set<AnySlot>()
  readonly aborted = new Set<AnySlot>()
  readonly checking = new Set<AnySlot>()
  readonly preparing = new Set<AnySlot>()
  readonly resetting = new Set<AnySlot>()
  readonly closing = new Set<AnySlot>()
  /** Who holds what, as far as callers know. */
  readonly held = new Set<AnySlot>()
  readonly permits = { free: Number.POSITIVE_INFINITY, taken: 0, given: 0, wakes: [] as (() => void)[] }
  wakeAt = Number.POSITIVE_INFINITY
  closedTimes = 0
  cap: number

  constructor(options: PoolOptions) {
    const clock: Clock = {
      now: () => this.now,
      wall: () => this.wall,
      random: () => this.chance,
      after: () => ({ cancel() {}, ref() {}, unref() {} }),
      afterPoll: () => {},
    }
    const permits = {
      take: () => {
        if (this.permits.taken - this.permits.given >= this.permits.free) return false
        this.permits.taken++
        return true
      },
      give: () => {
        this.permits.given++
        for (const wake of this.permits.wakes) wake()
      },
      onFree: (wake: () => void) => void this.permits.wakes.push(wake),
      onWanted: () => {},
    }
    const resolved = resolveOptions({ ...options, permits }, driver)
    this.cap = resolved.max + resolved.maxOverflow
    this.engine = new Engine(resolved, { ports: this, clock, canCheck: true })
  }

  // ---- what callers do

  acquire(timeoutMs: number, priority: number, affinity: unknown): Caller {
    const caller = new Caller('lease', this.now, this.now + timeoutMs)
    caller.priority = priority
    caller.affinity = affinity
    this.callers.push(caller)
    this.engine.join(caller)
    return caller
  }

  askReady(timeoutMs: number): void {
    const caller = new Caller('ready', this.now, this.now + timeoutMs)
    this.callers.push(caller)
    this.engine.join(caller)
  }

  take(): void {
    const slot = this.engine.take(undefined)
    if (slot !== undefined) this.#hold(slot)
  }

  leave(caller: Caller): void {
    if (caller.ends.length > 0) return
    caller.ends.push('left')
    this.engine.leave(caller)
  }

  giveBack(slot: AnySlot, how: 'release' | 'reset' | 'discard' | 'detach'): void {
    if (!this.held.delete(slot)) return
    if (how === 'reset') this.resetting.add(slot)
    if (how === 'discard') this.engine.discard(slot, 'destroyed')
    else this.engine[how](slot)
  }

  /** Time passes; the timer rings at its time, or late, as on a busy loop. */
  pass(ms: number, how: 'on time' | 'late'): void {
    const target = this.now + ms
    if (how === 'on time') {
      for (let rings = 0; this.wakeAt <= target; rings++) {
        if (rings > 10_000) throw new Error('the engine wakes itself in a circle')
        this.now = Math.max(this.now, this.wakeAt)
        this.wakeAt = Number.POSITIVE_INFINITY
        this.engine.tick(0)
      }
    }
    this.now = Math.max(this.now, target)
    this.wall += ms
    if (how === 'on time' || this.wakeAt > this.now) return
    const lateByMs = this.now - this.wakeAt
    this.wakeAt = Number.POSITIVE_INFINITY
    this.engine.tick(lateByMs)
  }

  // ---- what drivers and servers do

  endConnect(slot: AnySlot, how: 'succeeds' | 'fails' | 'hook fails' | 'permanent'): void {
    if (!this.connecting.delete(slot)) return
    if (slot.state !== 'connecting') {
      this.engine.gone(slot)
      return
    }
    if (how === 'succeeds' || how === 'hook fails') slot.connection = {}
    if (how === 'succeeds') this.engine.connected(slot)
    else this.engine.connectFailed(slot, how === 'permanent')
  }

  endCheck(slot: AnySlot, alive: boolean): void {
    if (this.checking.delete(slot)) this.engine.checked(slot, alive)
  }

  endHook(slot: AnySlot, ok: boolean): void {
    if (this.preparing.delete(slot)) this.engine.prepared(slot, ok)
  }

  endReset(slot: AnySlot, clean: boolean): void {
    if (this.resetting.delete(slot)) this.engine.resetDone(slot, clean)
  }

  endClose(slot: AnySlot): void {
    if (this.closing.delete(slot)) this.engine.gone(slot)
  }

  // ---- ports

  connect(slot: AnySlot): void {
    this.connecting.add(slot)
  }

  abortConnect(slot: AnySlot): void {
    this.aborted.add(slot)
  }

  check(slot: AnySlot): void {
    this.checking.add(slot)
  }

  prepare(slot: AnySlot): void {
    this.preparing.add(slot)
  }

  abortPhase(slot: AnySlot): void {
    for (const phase of [this.checking, this.preparing, this.resetting]) phase.delete(slot)
  }

  grant(waiter: Waiter, slot: AnySlot): boolean {
    const caller = waiter as Caller
    caller.ends.push('granted')
    caller.got = slot
    this.#hold(slot)
    return true
  }

  refuse(waiter: Waiter, why: Refusal): void {
    ;(waiter as Caller).ends.push(why)
  }

  ready(waiter: Waiter): void {
    ;(waiter as Caller).ends.push('ready')
  }

  revoke(slot: AnySlot): void {
    this.held.delete(slot)
  }

  close(slot: AnySlot): void {
    if (this.closing.has(slot)) throw new Error(`connection ${slot.id} is closed twice`)
    this.closing.add(slot)
  }

  gone(): void {}
  idle(): void {}
  leak(): void {}

  closed(): void {
    this.closedTimes++
  }

  wake(at: number): void {
    this.wakeAt = at
  }

  #hold(slot: AnySlot): void {
    if (this.held.has(slot)) throw new Error(`connection ${slot.id} has two owners`)
    this.held.add(slot)
  }
}

import { nextKeepalive, nextWake } from './agenda.ts'
import { checksUnderWay, connectsWanted, nextForecast } from './growth.ts'
import { Lifecycle } from './lifecycle.ts'
import type { Refusal } from './ports.ts'
import { dueReason, needsCheck, nextIdleEnd, surplusReason } from './retirement.ts'
import type { Slot } from './slot.ts'
import type { Waiter } from './waiter.ts'

/** Brings connections and waiters together: the pump, and all that ends in it. */
export abstract class Dispatch<R, H> extends Lifecycle<R, H> {
  #pumping = false
  #pumpAgain = false

  /** Serves whom it can and opens what is missing. A change that happens meanwhile makes it go round again. */
  pump(): void {
    if (this.#pumping) {
      this.#pumpAgain = true
      return
    }
    this.#pumping = true
    try {
      do {
        this.#pumpAgain = false
        this.shed()
        this.serve()
        this.refuseImpatient()
        this.grow()
        this.tellReady()
      } while (this.#pumpAgain)
    } finally {
      this.#pumping = false
    }
  }

  protected serve(): void {
    const { state } = this
    while (!state.suspended && state.queue.size > 0 && state.idle.size > 0) {
      const now = this.read()
      const waiter = state.next(now) as Waiter
      const slot = this.pickIdle(waiter.affinity, now)
      if (slot === undefined) return
      if (!this.mustCheck(slot, now)) {
        state.idle.remove(slot)
        this.handOver(slot, waiter, now)
      } else if (state.queue.size > checksUnderWay(state, now).prompt) {
        this.check(slot, now)
      } else return
    }
  }

  /** Who would have had an idle connection waits for no other. */
  protected refuseImpatient(): void {
    const { queue, unused } = this.state
    for (let w = queue.impatientBehind(unused); w !== undefined; w = queue.impatientBehind(unused)) {
      this.ports.refuse(w, 'timeout')
      this.withdraw(w)
    }
  }

  protected grow(): void {
    const { state } = this
    const { backoff } = state
    if (state.total >= state.cap) return
    if (state.queue.size === 0 && state.live >= state.options.min && state.readies.size === 0) return
    const now = this.read()
    for (let wanted = connectsWanted(state, now); wanted > 0 && state.total < state.cap; wanted--) {
      const until = backoff.until(state.queue.size > 0 || state.readies.size > 0)
      if (now < until) {
        this.wakeBy(until)
        return
      }
      if (state.counts.connecting >= backoff.mostAtOnce) return
      if (state.options.permits?.take() === false) return
      this.connect(now)
    }
    // Who is held back because leases will return is looked at again when one does not.
    this.wakeBy(nextForecast(state, now))
  }

  protected tellReady(): void {
    const { state } = this
    if (state.readies.size === 0 || state.open < state.readyAt) return
    if (state.readies.size === 0) return
    for (const waiter of state.readies) {
      this.withdraw(waiter)
      this.ports.ready(waiter)
    }
  }

  /** What was kept for somebody who has been served by another, or has left, is not kept beyond what may be idle. */
  protected trim(): void {
    const { idle } = this.state
    for (let { coldest } = idle; coldest !== undefined; coldest = idle.coldest) {
      const reason = surplusReason(this.state, idle.size - 1)
      if (reason === undefined) return
      this.retireIdle(coldest, reason, this.read())
    }
  }

  /** A connection is free: it retires, or goes to the first waiter, or becomes idle. */
  protected free(slot: Slot<R, H>, now: number, after: 'used' | 'proven'): void {
    const { state } = this
    slot.deadline = Number.POSITIVE_INFINITY
    const reason = dueReason(state, slot, now)
    if (reason !== undefined) this.closeSlot(slot, reason, now)
    else if (state.queue.size > 0) this.#offer(slot, now, after)
    else this.#keep(slot, now)
  }

  #offer(slot: Slot<R, H>, now: number, after: 'used' | 'proven'): void {
    const { state } = this
    const waiter = state.suspended ? undefined : state.next(now)
    if (waiter !== undefined && (after === 'proven' || !needsCheck(state, slot, now))) {
      this.handOver(slot, waiter, now)
      this.trim()
      return
    }
    this.#keep(slot, now)
    if (waiter !== undefined) this.pump()
  }

  #keep(slot: Slot<R, H>, now: number): void {
    const { state } = this
    this.move(slot, 'idle', now)
    state.idle.add(slot)
    this.ports.idle(slot)
    this.wakeBy(Math.min(slot.expiresAt, nextIdleEnd(state), nextKeepalive(state, slot)))
  }

  protected handOver(slot: Slot<R, H>, waiter: Waiter, now: number): void {
    const { state } = this
    this.unqueue(waiter)
    if (!waiter.shares) state.servedAt = now
    if (state.options.onAcquire === undefined) {
      this.grant(slot, waiter, now)
      return
    }
    this.move(slot, 'validating', now)
    slot.deadline = now + state.options.validateTimeoutMs
    slot.waiter = waiter
    waiter.slot = slot
    waiter.state = 'preparing'
    state.preparing++
    this.wakeBy(slot.deadline)
    this.ports.prepare(slot, waiter)
  }

  protected grant(slot: Slot<R, H>, waiter: Waiter, now: number): void {
    waiter.state = 'settled'
    waiter.slot = undefined
    this.state.deadlines.finished(waiter)
    this.lease(slot, now)
    if (!this.ports.grant(waiter, slot)) this.free(slot, now, 'proven')
  }

  protected lease(slot: Slot<R, H>, now: number): void {
    const { leakThresholdMs } = this.state.options
    this.move(slot, 'leased', now)
    slot.uses++
    slot.deadline = Number.POSITIVE_INFINITY
    slot.leakReported = false
    if (leakThresholdMs > 0) this.wakeBy(now + leakThresholdMs)
  }

  protected withdraw(waiter: Waiter): void {
    const { state } = this
    if (waiter.kind === 'ready') state.awaitReadyNoLonger(waiter)
    else if (waiter.state === 'queued') this.unqueue(waiter)
    else if (waiter.slot !== undefined) this.unbind(waiter.slot as Slot<R, H>)
    waiter.state = 'settled'
    state.deadlines.finished(waiter)
    this.trim()
  }

  protected unqueue(waiter: Waiter): void {
    const { queue, overload } = this.state
    queue.remove(waiter)
    if (queue.size === 0) overload?.emptied()
  }

  protected requeue(waiter: Waiter): void {
    waiter.state = 'queued'
    this.state.queue.rejoin(waiter)
  }

  protected unbind(slot: Slot<R, H>): Waiter | undefined {
    const { waiter } = slot
    if (waiter === undefined) return undefined
    slot.waiter = undefined
    waiter.slot = undefined
    this.state.preparing--
    return waiter
  }

  /** Under overload, turns away who has waited for too long to be still waited for. */
  protected shed(): void {
    const { state } = this
    const { overload, queue } = state
    if (overload === undefined || state.suspended || queue.size === 0) return
    const now = this.read()
    overload.judge(now, queue.size, state.forecast.holdMs)
    const { patienceMs } = overload
    for (let oldest = queue.oldest; oldest !== undefined && overload.isOn; oldest = queue.oldest) {
      if (now < oldest.since + patienceMs) {
        this.wakeBy(oldest.since + patienceMs)
        break
      }
      overload.turnedAway()
      this.ports.refuse(oldest, 'overload')
      this.withdraw(oldest)
    }
    this.wakeBy(overload.judgeAt)
  }

  protected refuseAll(why: Refusal): void {
    const { state } = this
    for (let waiter = state.queue.first; waiter !== undefined; waiter = state.queue.first) {
      this.ports.refuse(waiter, why)
      this.withdraw(waiter)
    }
    this.refuseReadies(why)
  }

  protected refuseReadies(why: Refusal): void {
    for (const waiter of this.state.readies) {
      this.ports.refuse(waiter, why)
      this.withdraw(waiter)
    }
  }

  protected backOff(slot: Slot<R, H>, now: number, permanent: boolean): void {
    this.state.backoff.failed({ now, startedAt: slot.since, chance: this.chance(), permanent })
    if (!permanent) return
    // What is open goes on serving; but more than that there will not be.
    if (this.state.open === 0) this.refuseAll('permanent')
    else this.refuseReadies('permanent')
  }

  /** What is left to do for a slot that is no more. */
  protected forget(): void {
    const { state } = this
    state.options.permits?.give()
    if (state.closing && state.total === 0) this.ports.closed()
    else this.pump()
    if (state.slots.size === 0 && nextWake(state, this.now) === Number.POSITIVE_INFINITY) this.rest()
  }

  checked(slot: Slot<R, H>, alive: boolean): void {
    if (slot.state !== 'validating') return
    const now = this.read()
    if (!alive) {
      this.suspectAll(now)
      this.closeSlot(slot, 'invalid', now)
      return
    }
    slot.provenAt = now
    slot.aliveAt = now
    this.free(slot, now, 'proven')
    this.wakeBy(now)
  }

  /** `onAcquire` has ended. A waiter that has left meanwhile leaves the connection to the next. */
  prepared(slot: Slot<R, H>, ok: boolean): void {
    if (slot.state !== 'validating') return
    const { state } = this
    const now = this.read()
    const waiter = this.unbind(slot)
    if (!ok) {
      // A fresh connection that cannot be prepared: opening the next one at once would only repeat it.
      if (slot.uses === 0) this.backOff(slot, now, false)
      if (waiter?.state === 'preparing') this.requeue(waiter)
      this.closeSlot(slot, 'invalid', now)
      return
    }
    slot.aliveAt = now
    if (waiter?.state !== 'preparing') {
      this.free(slot, now, 'used')
    } else if (slot.generation < state.generation) {
      this.requeue(waiter)
      this.closeSlot(slot, state.outdated, now)
    } else if (state.suspended) {
      this.requeue(waiter)
      this.free(slot, now, 'used')
    } else this.grant(slot, waiter, now)
  }

  /** The socket is gone. */
  gone(slot: Slot<R, H>): void {
    if (slot.state !== 'closing') return
    this.vanish(slot, this.read())
    this.ports.gone(slot, slot.reason)
    this.forget()
  }
}

import type { CloseReason } from '../contract/stats.ts'
import { isLeakWatched, nextKeepalive, nextWake } from './agenda.ts'
import { Dispatch } from './dispatch.ts'
import { GapWatch } from './gap-watch.ts'
import { nextIdleEnd } from './retirement.ts'
import type { Slot } from './slot.ts'

/** Does what has come due: deadlines, phases that take too long, connections that retire, leaks, the end of a drain. */
export abstract class Maintenance<R, H> extends Dispatch<R, H> {
  /** Does what has come due. `lateByMs` is how much later this is than asked for. */
  tick(lateByMs: number): void {
    const { state } = this
    const now = this.read()
    this.woken()
    if (GapWatch.isGap(lateByMs)) this.suspectAll(now)
    this.look(now)
    for (
      let waiter = state.deadlines.takeDue(now);
      waiter !== undefined;
      waiter = state.deadlines.takeDue(now)
    ) {
      this.ports.refuse(waiter, 'timeout')
      this.withdraw(waiter)
    }
    if (state.closing && now >= state.drainDeadline) this.endDrain(now)
    for (const slot of [...state.slots]) this.tend(slot, now)
    if (state.options.keepaliveMs > 0) this.keepAlive(now)
    while (state.idle.coldest !== undefined && nextIdleEnd(state) <= now) {
      this.retireIdle(state.idle.coldest, 'idle', now)
    }
    this.pump()
    this.wakeBy(nextWake(state, now))
  }

  /** Does what has come due for one connection. */
  protected tend(slot: Slot<R, H>, now: number): void {
    const late = slot.deadline <= now
    switch (slot.state) {
      case 'idle':
        if (slot.expiresAt <= now) this.retireIdle(slot, 'lifetime', now)
        return
      case 'leased':
        this.reportLeak(slot, now)
        return
      case 'connecting':
        if (!late) return
        this.backOff(slot, now, false)
        this.abortConnect(slot, 'timeout', now)
        return
      case 'validating':
        if (!late) return
        if (slot.waiter === undefined) this.suspectAll(now)
        this.closeValidating(slot, 'invalid', now)
        return
      case 'resetting':
        if (!late) return
        this.ports.abortPhase(slot)
        this.closeSlot(slot, 'dirty', now)
        return
      case 'closing':
        if (!late) return
        slot.reason = 'abandoned'
        this.gone(slot)
        return
      default:
    }
  }

  /** Background checks go one after the other: whoever has been silent for longest comes first. */
  protected keepAlive(now: number): void {
    const { state } = this
    let silent = state.idle.coldest
    for (let slot = silent; slot !== undefined; slot = slot.warmer)
      if (slot.aliveAt < (silent as Slot<R, H>).aliveAt) silent = slot
    if (silent !== undefined && nextKeepalive(state, silent) <= now) this.check(silent, now)
  }

  protected reportLeak(slot: Slot<R, H>, now: number): void {
    const { leakThresholdMs } = this.state.options
    if (!isLeakWatched(leakThresholdMs, slot) || now < slot.since + leakThresholdMs) return
    slot.leakReported = true
    this.ports.leak(slot)
  }

  protected endDrain(now: number): void {
    for (const slot of [...this.state.slots]) {
      if (slot.state === 'leased') {
        slot.revoked = true
        this.ports.revoke(slot, 'close')
        if (!isOver(slot)) this.closeSlot(slot, 'destroyed', now)
      } else if (slot.state === 'resetting') {
        this.ports.abortPhase(slot)
        this.closeSlot(slot, 'close', now)
      }
    }
  }

  protected closeValidating(slot: Slot<R, H>, reason: CloseReason, now: number): void {
    this.ports.abortPhase(slot)
    this.giveUpPreparing(slot)
    this.closeSlot(slot, reason, now)
  }

  /** The waiter whose connection fails under `onAcquire` keeps its place, unless the pool is closing. */
  protected giveUpPreparing(slot: Slot<R, H>): void {
    const waiter = this.unbind(slot)
    if (waiter?.state !== 'preparing') return
    this.requeue(waiter)
    if (this.state.closing) this.refuseAll('closed')
  }
}

/** Who was told of the end of its lease may have made an end of the connection. */
function isOver<R, H>({ state }: Slot<R, H>): boolean {
  return state === 'closing' || state === 'gone'
}

import type { CloseReason } from '../contract/stats.ts'
import { EngineCore } from './core.ts'
import { needsCheck } from './retirement.ts'
import { Slot } from './slot.ts'

/** What happens to one connection: it is opened, picked, checked and closed. */
export abstract class Lifecycle<R, H> extends EngineCore<R, H> {
  #ids = 0

  protected connect(now: number): void {
    const { state } = this
    const slot = new Slot<R, H>(++this.#ids, { generation: state.generation, chance: this.chance(), now })
    slot.deadline = now + state.options.connectTimeoutMs
    state.slots.add(slot)
    state.counts.connecting++
    this.wakeBy(slot.deadline)
    this.ports.connect(slot)
  }

  protected check(slot: Slot<R, H>, now: number): void {
    this.state.idle.remove(slot)
    this.move(slot, 'validating', now)
    slot.deadline = now + this.state.options.validateTimeoutMs
    this.wakeBy(slot.deadline)
    this.loseFaithLater()
    this.ports.check(slot)
  }

  protected vanish(slot: Slot<R, H>, now: number): void {
    this.move(slot, 'gone', now)
    this.state.slots.delete(slot)
  }

  protected closeSlot(slot: Slot<R, H>, reason: CloseReason, now: number): void {
    slot.reason = reason
    slot.deadline = now + this.state.options.closeTimeoutMs
    this.move(slot, 'closing', now)
    this.wakeBy(slot.deadline)
    this.ports.close(slot, reason)
    this.pump()
  }

  protected retireIdle(slot: Slot<R, H>, reason: CloseReason, now: number): void {
    this.state.idle.remove(slot)
    this.closeSlot(slot, reason, now)
  }

  protected abortConnect(slot: Slot<R, H>, why: 'timeout' | 'close', now: number): void {
    slot.reason = 'close'
    slot.deadline = now + this.state.options.closeTimeoutMs
    this.move(slot, 'closing', now)
    this.wakeBy(slot.deadline)
    this.ports.abortConnect(slot, why)
  }

  protected pickIdle(affinity: unknown, now: number): Slot<R, H> | undefined {
    const { idle, options } = this.state
    for (;;) {
      const familiar = affinity === undefined ? undefined : idle.lastUsedWith(affinity)
      const slot = familiar ?? (options.idleOrder === 'lifo' ? idle.warmest : idle.coldest)
      if (slot === undefined || now < slot.expiresAt) return slot
      this.retireIdle(slot, 'lifetime', now)
    }
  }

  protected mustCheck(slot: Slot<R, H>, now: number): boolean {
    // Only one that has been idle for a moment can have slept through a suspension.
    if (now - slot.aliveAt >= 1) this.look(now)
    return needsCheck(this.state, slot, now)
  }
}

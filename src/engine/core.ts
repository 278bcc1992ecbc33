import type { Clock } from '../contract/clock.ts'
import type { ResolvedOptions } from '../contract/options.ts'
import { GapWatch } from './gap-watch.ts'
import { PATIENCE_MS } from './growth.ts'
import type { Ports } from './ports.ts'
import { move, type Slot } from './slot.ts'
import { EngineState } from './state.ts'

export interface EngineSurroundings<R, H> {
  ports: Ports<R, H>
  clock: Clock
  /** The driver has a liveness check. */
  canCheck: boolean
}

/** What every layer of the engine stands on: the state, the time, and the pool that does what is decided. */
export abstract class EngineCore<R, H> {
  readonly state: EngineState<R, H>
  protected readonly ports: Ports<R, H>
  readonly #clock: Clock
  readonly #glance: () => number
  readonly #gaps = new GapWatch()
  /** The last time read: good enough to stamp what needs no better. */
  now: number
  #wakeAt = Number.POSITIVE_INFINITY

  constructor(options: ResolvedOptions<R>, surroundings: EngineSurroundings<R, H>) {
    this.state = new EngineState(options, surroundings)
    this.ports = surroundings.ports
    this.#clock = surroundings.clock
    this.#glance = (surroundings.clock.glance ?? surroundings.clock.now).bind(surroundings.clock)
    this.now = surroundings.clock.now()
    // The first look is what later ones are compared with.
    this.look(this.now)
  }

  /** Serves whom it can and opens what is missing. */
  abstract pump(): void

  protected look(now: number): void {
    const wall = this.#clock.wall?.()
    if (wall !== undefined && this.#gaps.jumped(now, wall)) this.suspectAll(now)
  }

  protected suspectAll(now: number): void {
    this.state.suspectAt = now
    this.state.backoff.doubt()
  }

  protected chance(): number {
    return this.#clock.random?.() ?? Math.random()
  }

  /** Reads the clock. */
  read(): number {
    this.now = this.#clock.now()
    return this.now
  }

  /** The time as the way out and back needs it: never before the last one read, but maybe a little old. */
  glance(): number {
    const now = this.#glance()
    if (now > this.now) this.now = now
    return this.now
  }

  protected move(slot: Slot<R, H>, to: Slot['state'], now: number): void {
    if (slot.shared) this.#endSharing(slot)
    move(slot as Slot, to, now, this.state.counts)
  }

  #endSharing(slot: Slot<R, H>): void {
    slot.shared = false
    this.state.shared--
  }

  protected wakeBy(at: number): void {
    if (at >= this.#wakeAt) return
    this.#wakeAt = at
    this.ports.wake(at)
  }

  /** Nothing can come due: no timer need keep the process alive. */
  protected rest(): void {
    if (this.#wakeAt === Number.POSITIVE_INFINITY) return
    this.woken()
    this.ports.wake(Number.POSITIVE_INFINITY)
  }

  protected woken(): void {
    this.#wakeAt = Number.POSITIVE_INFINITY
  }

  /** Checks and resets under way are counted on for the queue, but not for long: then somebody must look again. */
  protected loseFaithLater(): void {
    if (this.state.queue.size > 0) this.wakeBy(this.now + PATIENCE_MS)
  }
}

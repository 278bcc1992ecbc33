import type { Clock } from '../contract/clock.ts'
import type { AcquireOptions } from '../contract/lease.ts'
import type { QueryResult } from '../contract/sql-driver.ts'
import type { Executor } from './executor.ts'
import { Lane, type Shot } from './lane.ts'
import { type Limits, within } from './limits.ts'
import type { PooledLease } from './pooled-lease.ts'

/** What the multiplexer needs of the pool, whose client it is. */
export interface LaneSource<C> {
  /** An idle connection, if nobody waits. */
  takeIdle(): PooledLease<C> | undefined
  /** A connection, or a place in a lane, whatever comes first. */
  acquireOrShare(options: AcquireOptions): Promise<PooledLease<C> | Lane<C>>
  /** Gives a place to the first who waits for one. */
  offerPlace(lane: Lane<C>): boolean
  /** Somebody waits for a place: newcomers stand behind. */
  isPlaceWaitedFor(): boolean
  onDefect(error: unknown): void
}

/**
 * Lets statements that are known to be fast share connections: few lanes, filled one after the other, because one
 * connection that is never idle beats ten that wait for each other.
 */
export class Multiplexer<C> {
  readonly #executor: Executor<C>
  readonly #clock: Clock
  readonly #source: LaneSource<C>
  #lanes: Lane<C>[] = []

  constructor(executor: Executor<C>, source: LaneSource<C>) {
    this.#executor = executor
    this.#clock = executor.surroundings.clock
    this.#source = source
  }

  run(shot: Shot, acquire: AcquireOptions, limits: (() => Limits) | undefined): Promise<QueryResult> {
    const lane = this.#laneNow()
    if (limits !== undefined) return this.#runLimited(shot, lane ?? this.#place(acquire), limits)
    return lane === undefined ? this.#wait(shot, acquire) : lane.run(shot)
  }

  #laneNow(): Lane<C> | undefined {
    if (this.#source.isPlaceWaitedFor()) return undefined
    const now = this.#clock.now()
    for (const lane of this.#lanes) if (lane.accepts(now)) return lane
    const lease = this.#source.takeIdle()
    return lease === undefined ? undefined : this.#open(lease)
  }

  async #wait(shot: Shot, acquire: AcquireOptions): Promise<QueryResult> {
    const lane = await this.#place(acquire)
    lane.giveUpPlace()
    return lane.run(shot)
  }

  async #runLimited(
    shot: Shot,
    coming: Lane<C> | Promise<Lane<C>>,
    limits: () => Limits,
  ): Promise<QueryResult> {
    const { name, clock } = this.#executor.surroundings
    const lane = coming instanceof Lane ? coming : await coming
    if (lane !== coming) lane.giveUpPlace()
    return within(lane.run(shot), limits(), { name, clock, onStop: () => lane.abandon(shot) })
  }

  async #place(acquire: AcquireOptions): Promise<Lane<C>> {
    const coming = this.#source.acquireOrShare(acquire)
    this.#offer()
    const got = await coming
    if (got instanceof Lane) return got
    const lane = this.#open(got)
    lane.reserve()
    this.#offer()
    return lane
  }

  #open(lease: PooledLease<C>): Lane<C> {
    const lane = new Lane<C>({
      lease,
      connection: lease.connection,
      executor: this.#executor,
      clock: this.#clock,
      onPlace: () => this.#offer(),
      onEnd: (ended) => {
        this.#lanes = this.#lanes.filter((other) => other !== ended)
      },
      onDefect: (error) => this.#source.onDefect(error),
    })
    this.#lanes.push(lane)
    return lane
  }

  /** Fills free places with those who wait at the head of the pool's queue. */
  #offer(): void {
    if (!this.#source.isPlaceWaitedFor()) return
    const now = this.#clock.now()
    for (const lane of this.#lanes) {
      while (lane.accepts(now)) {
        lane.reserve()
        if (this.#source.offerPlace(lane)) continue
        lane.giveUpPlace()
        return
      }
    }
  }
}

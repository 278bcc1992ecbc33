import { assertKnown, assertOption, milliseconds, show } from '../contract/check.ts'
import type { Clock } from '../contract/clock.ts'
import { asyncDispose, dispose } from '../contract/dispose.ts'
import type { Driver } from '../contract/driver.ts'
import { InvalidOptionError, PoolClosedError, QueueFullError } from '../contract/errors.ts'
import type { PoolEventName, PoolListener } from '../contract/events.ts'
import type { AcquireOptions } from '../contract/lease.ts'
import type { PoolOptions, ResizeOptions, ResolvedOptions } from '../contract/options.ts'
import type { CloseOptions, CloseReport, Pool, ReadyOptions } from '../contract/pool.ts'
import { assertAcquire, assertReady, resizeOptions, resolveOptions } from '../contract/resolve-options.ts'
import type { PoolStats } from '../contract/stats.ts'
import { Closing } from './closing.ts'
import { Effects } from './effects.ts'
import { EVENT_NAMES } from './emitter.ts'
import { Journal } from './journal.ts'
import type { LeaseMaker } from './lending.ts'
import { Pending } from './pending.ts'
import type { PoolLease } from './pool-lease.ts'
import { defaultName } from './pool-names.ts'
import { systemClock } from './system-clock.ts'

const NO_OPTIONS: AcquireOptions = Object.freeze({})

/** Pools anything that a driver can connect and close. */
export class ResourcePool<C, L extends PoolLease<C>> implements Pool<C, L> {
  readonly name: string
  protected readonly clock: Clock
  readonly #driver: Driver<C>
  readonly #journal: Journal
  readonly #effects: Effects<C, L>
  #closing: Closing<C, L> | undefined = undefined

  constructor(driver: Driver<C>, given: PoolOptions<C>, makeLease: LeaseMaker<C, L>) {
    assertDriver(driver)
    const options = resolveOptions(given, driver)
    this.name = options.name ?? defaultName(driver.name)
    this.clock = options.clock ?? systemClock
    this.#driver = driver
    this.#journal = new Journal(this.name)
    this.#effects = new Effects({
      name: this.name,
      driver,
      options,
      clock: this.clock,
      journal: this.#journal,
      makeLease,
    })
    // Not before the caller has had a chance to listen.
    if (options.min > 0) queueMicrotask(() => this.#effects.engine.pump())
  }

  get closed(): boolean {
    return this.#closing !== undefined
  }

  protected get suspended(): boolean {
    return this.#effects.engine.state.suspended
  }

  /** The options in force. */
  get options(): ResolvedOptions<C> {
    return this.#effects.engine.state.options
  }

  acquire(options: AcquireOptions = NO_OPTIONS): Promise<L> {
    if (options !== NO_OPTIONS) return this.#acquireBy(options)
    if (this.#closing !== undefined) return this.#refuse()
    const { engine, lending } = this.#effects
    const trace = engine.state.options.leakThresholdMs > 0 ? takeTrace(this.acquire) : undefined
    const slot = engine.take(undefined)
    if (slot === undefined) return this.#wait(NO_OPTIONS, trace, 'own')
    return Promise.resolve(lending.lend(slot, NO_OPTIONS, trace, 0))
  }

  #acquireBy(options: AcquireOptions): Promise<L> {
    try {
      assertAcquire(options)
    } catch (error) {
      return Promise.reject(error)
    }
    if (options.signal?.aborted === true) return Promise.reject(options.signal.reason)
    if (this.#closing !== undefined) return this.#refuse()
    const { engine, lending } = this.#effects
    const trace = engine.state.options.leakThresholdMs > 0 ? takeTrace(this.acquire) : undefined
    if (options.key !== undefined) {
      const joined = lending.join(options.key, trace)
      if (joined !== undefined) return Promise.resolve(joined)
    }
    const slot = engine.take(options.affinity)
    if (slot !== undefined) return Promise.resolve(lending.lend(slot, options, trace, 0))
    return this.#wait(options, trace, 'own')
  }

  #refuse(): Promise<never> {
    return Promise.reject(new PoolClosedError(this.name))
  }

  tryAcquire(): L | undefined {
    if (this.#closing !== undefined) throw new PoolClosedError(this.name)
    const { engine, lending } = this.#effects
    const slot = engine.take(undefined)
    if (slot === undefined) {
      engine.checkAhead()
      return undefined
    }
    const trace = engine.state.options.leakThresholdMs > 0 ? takeTrace(this.tryAcquire) : undefined
    return lending.lend(slot, NO_OPTIONS, trace, 0)
  }

  async use<T>(work: (lease: L) => T | Promise<T>, options?: AcquireOptions): Promise<T> {
    if (typeof work !== 'function')
      throw new InvalidOptionError('work', 'use takes a function as its first argument')
    const lease = await this.acquire(options)
    try {
      return await work(lease)
    } finally {
      lease[dispose]()
    }
  }

  ready(options: ReadyOptions = {}): Promise<void> {
    try {
      assertReady(options)
    } catch (error) {
      return Promise.reject(error)
    }
    const { timeoutMs = this.options.acquireTimeoutMs, signal } = options
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    if (this.#closing !== undefined) return Promise.reject(new PoolClosedError(this.name))
    if (this.#effects.engine.refused) return Promise.reject(this.#effects.refusals.permanent())
    const since = this.clock.now()
    const pending = new Pending<void>('ready', since, since + timeoutMs, NO_OPTIONS)
    this.#effects.wait(pending, signal)
    return pending.promise
  }

  stats(): PoolStats {
    const { acquired, timedOut, created, connectFailed, leaked, closed, waitTime, useTime, connectTime } =
      this.#journal
    const gauges = this.#effects.refusals.gauges()
    // Written out: a spread costs ten times as much, and some ask many times a second.
    return {
      connecting: gauges.connecting,
      validating: gauges.validating,
      idle: gauges.idle,
      leased: gauges.leased,
      resetting: gauges.resetting,
      closing: gauges.closing,
      total: gauges.total,
      waiting: gauges.waiting,
      max: gauges.max,
      acquired,
      timedOut,
      created,
      connectFailed,
      leaked,
      closed: { ...closed },
      waitTime: waitTime.summary(),
      useTime: useTime.summary(),
      connectTime: connectTime.summary(),
    }
  }

  resize(change: ResizeOptions): void {
    this.#effects.engine.resize(resizeOptions(this.options, change, this.#driver))
  }

  refresh(): void {
    this.#effects.engine.refresh()
  }

  suspend(): void {
    if (this.#closing === undefined) this.#effects.engine.suspend()
  }

  resume(): void {
    if (this.#closing === undefined) this.#effects.engine.resume()
  }

  async close(options: CloseOptions = {}): Promise<CloseReport> {
    assertKnown(options, ['drainTimeoutMs'], 'close')
    const { drainTimeoutMs = 10_000 } = options
    assertOption('drainTimeoutMs', drainTimeoutMs, milliseconds({ zero: '0 = do not wait' }))
    this.#closing ??= new Closing(this.#effects, this.clock)
    return this.#closing.within(drainTimeoutMs)
  }

  async [asyncDispose](): Promise<void> {
    await this.close()
  }

  on(event: PoolEventName, listener: PoolListener): this {
    this.#assertEvent('on', event, listener)
    this.#journal.emitter.add(event, listener, 'always')
    return this
  }

  once(event: PoolEventName, listener: PoolListener): this {
    this.#assertEvent('once', event, listener)
    this.#journal.emitter.add(event, listener, 'once')
    return this
  }

  off(event: PoolEventName, listener: PoolListener): this {
    this.#journal.emitter.remove(event, listener)
    return this
  }

  /** Waits for a lease, or for a place on a shared connection if `offerPlace` has one first. */
  protected acquireOrShare<S>(options: AcquireOptions): Promise<L | S> {
    return this.#wait(options, undefined, 'shared')
  }

  /** Gives this place to the first who came by `acquireOrShare`. */
  protected offerPlace<S>(place: S): boolean {
    return this.#effects.offerPlace(place)
  }

  /** Somebody who came by `acquireOrShare` still waits. */
  protected get isPlaceWaitedFor(): boolean {
    return this.#effects.engine.state.queue.sharing > 0
  }

  /** Tells of an error that belongs to no caller. */
  protected tellError(error: unknown): void {
    this.#journal.tell('error', { id: 0, error })
  }

  /** An idle connection for a statement of the pool's own. */
  protected takeIdle(): L | undefined {
    const { engine, lending } = this.#effects
    const slot = engine.take(undefined)
    return slot === undefined ? undefined : lending.lend(slot, NO_OPTIONS, undefined, 0)
  }

  /** The server was demoted: no connection of this generation is lent again. */
  protected stale(generation: number): void {
    this.#effects.engine.stale(generation)
  }

  #wait(options: AcquireOptions, trace: Error | undefined, place: 'own' | 'shared'): Promise<L> {
    const { engine, refusals } = this.#effects
    const { acquireTimeoutMs, validateTimeoutMs, maxWaiting, max } = engine.state.options
    const { timeoutMs = acquireTimeoutMs, signal } = options
    if (engine.refused) return Promise.reject(refusals.permanent())
    if (maxWaiting !== Number.POSITIVE_INFINITY && engine.beyondCapacity > maxWaiting) {
      const { waiting } = engine.state
      return Promise.reject(new QueueFullError(this.name, { waiting, maxWaiting, max }))
    }
    const since = this.clock.now()
    // 0 waits for nobody; but an idle connection that is due for its check may answer it.
    const impatient = timeoutMs === 0 && engine.idleToSpare
    const patience = impatient ? validateTimeoutMs : timeoutMs
    const pending = new Pending<L>('lease', since, since + patience, options)
    pending.impatient = impatient
    pending.trace = trace
    pending.shares = place === 'shared'
    if (patience > 0) this.#effects.wait(pending, signal)
    else {
      this.#journal.timedOut++
      pending.reject(refusals.timeout(pending))
    }
    return pending.promise
  }

  #assertEvent(call: string, event: PoolEventName, listener: PoolListener): void {
    if (!EVENT_NAMES.includes(event)) {
      throw new InvalidOptionError(
        'event',
        `${call}: there is no event ${JSON.stringify(event)}: known are ${EVENT_NAMES.join(', ')}`,
      )
    }
    if (typeof listener !== 'function')
      throw new InvalidOptionError('listener', `${call}: the listener must be a function`)
  }
}

function assertDriver(driver: Driver<unknown>): void {
  const isDriver =
    typeof driver === 'object' &&
    driver !== null &&
    typeof driver.connect === 'function' &&
    typeof driver.close === 'function' &&
    typeof driver.name === 'string'
  if (isDriver) return
  throw new InvalidOptionError(
    'driver',
    `a driver is an object with name, connect() and close(), not ${show(driver)}`,
  )
}

function takeTrace(above: (...args: never[]) => unknown): Error {
  const trace = new Error('taken')
  Error.captureStackTrace?.(trace, above)
  return trace
}

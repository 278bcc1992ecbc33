import type { Clock } from '../contract/clock.ts'
import type { Driver } from '../contract/driver.ts'
import { ConnectError, messageOf, PoolError } from '../contract/errors.ts'
import type { ResolvedOptions } from '../contract/options.ts'
import type { CloseReason } from '../contract/stats.ts'
import { Engine } from '../engine/engine.ts'
import type { Ports, Refusal } from '../engine/ports.ts'
import type { Slot } from '../engine/slot.ts'
import type { Waiter } from '../engine/waiter.ts'
import { Alarm } from './alarm.ts'
import { Caretaker } from './caretaker.ts'
import { classify } from './classify.ts'
import { type ConnectObserver, Connector } from './connector.ts'
import { letProcessGo } from './hold-process.ts'
import type { Journal } from './journal.ts'
import { type LeaseMaker, Lending } from './lending.ts'
import type { AnyPending, Pending } from './pending.ts'
import type { Holder, PoolLease } from './pool-lease.ts'
import { Refusals } from './refusals.ts'

export interface EffectsParts<C, L> {
  name: string
  driver: Driver<C>
  options: ResolvedOptions<C>
  clock: Clock
  journal: Journal
  makeLease: LeaseMaker<C, L>
}

/** Does what the engine decided, and tells it what came of it. */
export class Effects<C, L extends PoolLease<C>>
  implements Ports<C, Holder>, ConnectObserver<C, Slot<C, Holder>>
{
  readonly engine: Engine<C, Holder>
  readonly lending: Lending<C, L>
  readonly refusals: Refusals<C>
  readonly #name: string
  readonly #driver: Driver<C>
  readonly #clock: Clock
  readonly #journal: Journal
  readonly #alarm: Alarm
  readonly #caretaker: Caretaker<C, Holder>
  readonly #connector: Connector<C, Holder>
  #wasToldOfFailure = false
  /** Called with every connection that is gone, and at the end with none. */
  onGone: ((slot: Slot<C, Holder> | undefined) => void) | undefined = undefined

  constructor(parts: EffectsParts<C, L>) {
    const { name, driver, clock, journal, makeLease } = parts
    this.#name = name
    this.#driver = driver
    this.#clock = clock
    this.#journal = journal
    this.#alarm = new Alarm(clock, this)
    this.#caretaker = new Caretaker(driver, this)
    this.#connector = new Connector(driver, this)
    const canCheck = driver.isAlive !== undefined
    const engine = new Engine<C, Holder>(parts.options, { ports: this, clock, canCheck })
    this.engine = engine
    this.refusals = new Refusals(name, clock, engine)
    const caretaker = this.#caretaker
    this.lending = new Lending({ name, driver, engine, journal, caretaker, makeLease })
  }

  get options(): ResolvedOptions<C> {
    return this.engine.state.options
  }

  stale(slot: Slot<C, Holder>): void {
    this.engine.stale(slot.generation)
  }

  // ---- waiters

  /** Puts a caller into the engine's hands, and keeps the process alive for it. */
  wait(pending: AnyPending, signal: AbortSignal | undefined): void {
    this.lending.waits(pending)
    if (signal !== undefined) pending.watch(signal, (waiter) => this.#leave(waiter))
    if (this.#mayExitWhenIdle) this.#alarm.hold()
    this.engine.join(pending)
  }

  grant(waiter: Waiter, slot: Slot<C, Holder>): boolean {
    const pending = waiter as Pending<L>
    this.#settled(pending)
    const { options, trace } = pending
    pending.resolve(this.lending.lend(slot, options, trace, this.engine.now - waiter.since))
    if (options.key === undefined) return true
    for (const other of this.lending.waitingWith(options.key)) {
      this.#leave(other)
      other.resolve(this.lending.join(options.key, other.trace) as L)
    }
    return true
  }

  /** Serves the first waiter with a place on a shared connection, if that is what it waits for. */
  offerPlace(place: unknown): boolean {
    const { queue, suspended } = this.engine.state
    const pending = queue.firstSharing as Pending<unknown> | undefined
    if (pending === undefined || suspended) return false
    this.#leave(pending)
    pending.resolve(place)
    return true
  }

  refuse(waiter: Waiter, why: Refusal): void {
    const pending = waiter as AnyPending
    this.#settled(pending)
    this.#journal.note(`a waiter is refused: ${why}`)
    if (why === 'timeout' && waiter.kind === 'lease') this.#journal.timedOut++
    pending.reject(this.refusals.for(waiter, why))
  }

  ready(waiter: Waiter): void {
    const pending = waiter as Pending<void>
    this.#settled(pending)
    pending.resolve()
  }

  #leave(pending: AnyPending): void {
    this.#settled(pending)
    this.engine.leave(pending)
  }

  #settled(pending: AnyPending): void {
    pending.forgetSignal()
    this.lending.waitsNoLonger(pending)
    if (this.#mayExitWhenIdle) this.#alarm.letGo()
  }

  // ---- connects

  connect(slot: Slot<C, Holder>): void {
    this.#journal.note('connecting', slot.id)
    void this.#connector.open(slot)
  }

  abortConnect(slot: Slot<C, Holder>, why: 'timeout' | 'close'): void {
    const error =
      why === 'timeout'
        ? this.#connector.timeoutError(this.#name)
        : new ConnectError(this.#name, 'the pool is closing')
    if (why === 'timeout') this.#failed(slot, error)
    this.#connector.abort(slot, error)
  }

  connected(slot: Slot<C, Holder>): void {
    const ms = this.#clock.now() - slot.since
    this.refusals.lastConnectError = undefined
    this.#journal.created++
    this.#journal.connectTime.add(ms)
    if (this.#journal.heard('connect')) this.#journal.tell('connect', { id: slot.id, ms })
    this.engine.connected(slot)
  }

  connectFailed(slot: Slot<C, Holder>, error: unknown): void {
    this.#failed(slot, error)
    this.engine.connectFailed(slot, classify(this.#driver, error, 'connect') === 'permanent')
  }

  ended(slot: Slot<C, Holder>): void {
    this.engine.gone(slot)
  }

  closeLate(slot: Slot<C, Holder>): void {
    this.#close(slot)
  }

  lost(slot: Slot<C, Holder>, error: unknown): void {
    slot.death = error
    this.engine.lost(slot)
  }

  #failed(slot: Slot<C, Holder>, error: unknown): void {
    this.refusals.lastConnectError = error
    this.#journal.connectFailed++
    this.#journal.tell('error', { id: slot.id, error })
    if (this.#wasToldOfFailure || this.#journal.created > 0) return
    this.#wasToldOfFailure = true
    // The first user of a misconfigured pool would otherwise stare at a program that only waits.
    if (this.#journal.emitter.heard('error') || process.stderr?.isTTY !== true) return
    process.stderr.write(`rockpool: pool "${this.#name}" cannot connect yet: ${messageOf(error)}\n`)
  }

  // ---- one connection

  check(slot: Slot<C, Holder>): void {
    this.#journal.note('checking', slot.id)
    this.#caretaker.check(slot).then(
      (alive) => this.engine.checked(slot, alive),
      () => this.engine.checked(slot, false),
    )
  }

  prepare(slot: Slot<C, Holder>, waiter: Waiter): void {
    this.#caretaker.prepare(slot, waiter as Pending<L>).then(
      () => this.engine.prepared(slot, true),
      (error) => {
        if (slot.state === 'validating') this.#journal.tell('error', { id: slot.id, error })
        this.engine.prepared(slot, false)
      },
    )
  }

  abortPhase(slot: Slot<C, Holder>): void {
    this.#caretaker.abort(slot)
  }

  revoke(slot: Slot<C, Holder>, why: 'lost' | 'close'): void {
    this.lending.revoke(slot, why, slot.death)
  }

  close(slot: Slot<C, Holder>, reason: CloseReason): void {
    this.#journal.note(`closing (${reason})`, slot.id)
    this.#close(slot)
  }

  gone(slot: Slot<C, Holder>, reason: CloseReason | undefined): void {
    if (reason === 'abandoned') {
      const error = new PoolError(
        'CLOSE_TIMEOUT',
        `pool "${this.#name}": a connection did not close in time and is written off`,
      )
      this.#journal.tell('error', { id: slot.id, error })
    }
    if (reason !== undefined && (slot.opened || reason === 'abandoned')) {
      this.#journal.countClosed(reason)
      this.#journal.tell('close', {
        id: slot.id,
        reason,
        error: slot.death,
        ms: this.#clock.now() - slot.connectedAt,
      })
    }
    this.onGone?.(slot)
  }

  idle(slot: Slot<C, Holder>): void {
    if (this.#mayExitWhenIdle) letProcessGo(this.#driver, slot.connection as C)
  }

  leak(slot: Slot<C, Holder>): void {
    const stack = slot.holder?.stack
    const ms = this.#clock.now() - slot.since
    // Asked first: who listens for one is gone when it has been told.
    const heard = this.#journal.emitter.heard('leak')
    this.#journal.leaked++
    this.#journal.tell('leak', stack === undefined ? { id: slot.id, ms } : { id: slot.id, ms, stack })
    if (heard) return
    const text = `pool "${this.#name}": a lease has been out for ${Math.round(ms)} ms; it was taken\n${stack ?? '(unknown)'}`
    process.emitWarning(text, 'RockpoolLeakWarning')
  }

  closed(): void {
    this.#alarm.clear()
    this.onGone?.(undefined)
  }

  wake(at: number): void {
    this.#alarm.set(at, { keepsAlive: !this.#mayExitWhenIdle })
  }

  /** The process must not end before the pool is closed. */
  holdProcess(): () => void {
    this.#alarm.hold()
    return () => this.#alarm.letGo()
  }

  ring(lateByMs: number): void {
    this.refusals.inOneMoment(lateByMs, () => this.engine.tick(lateByMs))
  }

  #close(slot: Slot<C, Holder>): void {
    const connection = slot.connection as C
    try {
      const closing = this.#driver.close(connection)
      // A driver in JavaScript may give back anything: what is no promise has closed.
      if (typeof closing?.then !== 'function') this.engine.gone(slot)
      else
        closing.then(
          () => this.engine.gone(slot),
          (error) => this.#closeFailed(slot, error),
        )
    } catch (error) {
      this.#closeFailed(slot, error)
    }
  }

  #closeFailed(slot: Slot<C, Holder>, error: unknown): void {
    this.#journal.tell('error', { id: slot.id, error })
    this.engine.gone(slot)
  }

  get #mayExitWhenIdle(): boolean {
    return this.engine.state.options.exitWhenIdle
  }
}

import type { Driver } from '../contract/driver.ts'
import { ConnectError } from '../contract/errors.ts'
import type { ResolvedOptions } from '../contract/options.ts'
import type { Slot } from '../engine/slot.ts'

/** Who wants connections, and hears what came of a connect. */
export interface ConnectObserver<C, S> {
  /** Those in force now. */
  readonly options: ResolvedOptions<C>
  connected(slot: S): void
  connectFailed(slot: S, error: unknown): void
  /** An attempt that nobody waits for any more has ended, and so has its socket. */
  ended(slot: S): void
  lost(slot: S, error: unknown): void
  /** Closes a connection that came too late for the pool. */
  closeLate(slot: S): void
}

/** Opens connections: the driver's connect and then `onConnect`, until one of them fails or is aborted. */
export class Connector<C, H> {
  readonly #driver: Driver<C>
  readonly #observer: ConnectObserver<C, Slot<C, H>>

  constructor(driver: Driver<C>, observer: ConnectObserver<C, Slot<C, H>>) {
    this.#driver = driver
    this.#observer = observer
  }

  /** Never rejects: what comes of it is told to the observer. */
  async open(slot: Slot<C, H>): Promise<void> {
    const attempt = new AbortController()
    slot.phase = attempt
    try {
      const connection = await this.#driver.connect({ signal: attempt.signal })
      slot.connection = connection
      const death = this.#watch(slot, connection)
      // A late success is a connection like any other, and must be closed like any other.
      if (slot.state !== 'connecting') return this.#observer.closeLate(slot)
      await this.#observer.options.onConnect?.(connection, { signal: attempt.signal })
      if (slot.state !== 'connecting') return
      if (death.happened) throw death.cause
      this.#observer.connected(slot)
    } catch (error) {
      if (slot.state === 'connecting') this.#observer.connectFailed(slot, error)
      else if (slot.connection === undefined) this.#observer.ended(slot)
    } finally {
      if (slot.phase === attempt) slot.phase = undefined
    }
  }

  /** Stops waiting for the connect. What it has opened so far is closed. */
  abort(slot: Slot<C, H>, reason: ConnectError): void {
    slot.phase?.abort(reason)
    if (slot.connection !== undefined) this.#observer.closeLate(slot)
  }

  timeoutError(pool: string): ConnectError {
    return new ConnectError(
      pool,
      `connecting took longer than connectTimeoutMs (${this.#observer.options.connectTimeoutMs} ms)`,
    )
  }

  #watch(slot: Slot<C, H>, connection: C): { happened: boolean; cause: unknown } {
    const death = { happened: false, cause: undefined as unknown }
    this.#driver.onLost?.(connection, (error) => {
      death.happened = true
      death.cause = error
      this.#observer.lost(slot, error)
    })
    return death
  }
}

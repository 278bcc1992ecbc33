import { channel } from 'node:diagnostics_channel'
import { channelName } from '../contract/channels.ts'
import { messageOf } from '../contract/errors.ts'
import type { PoolEvent, PoolEventName, PoolListener } from '../contract/events.ts'

type Listener = { readonly run: PoolListener; readonly once: boolean; failed: boolean }

const CHANNELS = {
  connect: channel(channelName('connect')),
  acquire: channel(channelName('acquire')),
  release: channel(channelName('release')),
  reset: channel(channelName('reset')),
  close: channel(channelName('close')),
  detach: channel(channelName('detach')),
  leak: channel(channelName('leak')),
  error: channel(channelName('error')),
}

/** Most pools have no listeners: they share this. */
const NONE: ReadonlyMap<PoolEventName, readonly Listener[]> = new Map()

export const EVENT_NAMES = Object.keys(CHANNELS) as PoolEventName[]

const NOBODY: Readonly<Record<PoolEventName, boolean>> = Object.freeze({
  connect: false,
  acquire: false,
  release: false,
  reset: false,
  close: false,
  detach: false,
  leak: false,
  error: false,
})

/** The pool's listeners. One that throws is reported once and harms nobody; an `error` that nobody hears is no crash. */
export class Emitter {
  #listeners: ReadonlyMap<PoolEventName, readonly Listener[]> = NONE
  /** What `#listeners` knows, for the hot path. */
  #heard: Readonly<Record<PoolEventName, boolean>> = NOBODY

  add(event: PoolEventName, run: PoolListener, how: 'always' | 'once'): void {
    const listener = { run, once: how === 'once', failed: false }
    this.#set(event, [...this.#of(event), listener])
  }

  remove(event: PoolEventName, run: PoolListener): void {
    const listeners = this.#of(event)
    const at = listeners.map((listener) => listener.run).lastIndexOf(run)
    this.#set(
      event,
      listeners.filter((_, index) => index !== at),
    )
  }

  /** Somebody listens. Ask before building an event: most pools have nobody. */
  heard(event: PoolEventName): boolean {
    return this.#heard[event] || CHANNELS[event].hasSubscribers
  }

  get hearsAcquire(): boolean {
    return this.#heard.acquire || CHANNELS.acquire.hasSubscribers
  }

  get hearsRelease(): boolean {
    return this.#heard.release || CHANNELS.release.hasSubscribers
  }

  emit(event: PoolEventName, payload: PoolEvent): void {
    CHANNELS[event].publish(payload)
    for (const listener of this.#of(event)) {
      if (listener.once) this.#drop(event, listener)
      try {
        // A listener may be an async function all the same.
        const running: unknown = listener.run(payload)
        if (running instanceof Promise) running.catch((error) => this.#report(event, listener, error))
      } catch (error) {
        this.#report(event, listener, error)
      }
    }
  }

  #of(event: PoolEventName): readonly Listener[] {
    return this.#listeners.get(event) ?? []
  }

  #report(event: PoolEventName, listener: Listener, error: unknown): void {
    if (listener.failed) return
    listener.failed = true
    const detail = (error as Error | undefined)?.stack ?? messageOf(error)
    process.emitWarning(`a listener of "${event}" failed: ${detail}`, 'RockpoolWarning')
  }

  #drop(event: PoolEventName, listener: Listener): void {
    this.#set(
      event,
      this.#of(event).filter((other) => other !== listener),
    )
  }

  #set(event: PoolEventName, listeners: readonly Listener[]): void {
    this.#heard = { ...this.#heard, [event]: listeners.length > 0 }
    this.#listeners = new Map(this.#listeners).set(event, listeners)
  }
}

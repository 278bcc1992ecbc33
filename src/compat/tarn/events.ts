import { EventEmitter } from 'node:events'

/** What listeners are told, by event. The number is the same for all events of one operation. */
export interface TarnEvents<T> {
  acquireRequest: [eventId: number]
  acquireSuccess: [eventId: number, resource: T]
  acquireFail: [eventId: number, error: Error]
  release: [resource: T]
  createRequest: [eventId: number]
  createSuccess: [eventId: number, resource: T]
  createFail: [eventId: number, error: Error]
  destroyRequest: [eventId: number, resource: T]
  destroySuccess: [eventId: number, resource: T]
  destroyFail: [eventId: number, resource: T, error: Error]
  startReaping: []
  stopReaping: []
  poolDestroyRequest: [eventId: number]
  poolDestroySuccess: [eventId: number]
}

export type TarnEventName = keyof TarnEvents<unknown>

export type Listener = (...facts: never[]) => void

/** Where trouble is written that no caller is told of. */
export type TarnLog = (message: string, level: 'warn') => unknown

/** The listeners. One that throws is logged, and keeps nobody from being told. */
export class TarnEmitter<T> {
  readonly log: TarnLog
  readonly #emitter = new EventEmitter()
  #lastId = 0

  constructor(log: TarnLog) {
    this.log = log
  }

  /** Numbers an operation. */
  nextId(): number {
    return ++this.#lastId
  }

  tell<E extends TarnEventName>(event: E, ...facts: TarnEvents<T>[E]): void {
    if (this.#emitter.listenerCount(event) === 0) return
    for (const listener of this.#emitter.listeners(event)) {
      try {
        listener(...facts)
      } catch (error) {
        this.log(`Tarn: event handler "${event}" threw an exception ${stackOf(error)}`, 'warn')
      }
    }
  }

  on(event: string | symbol, listener: Listener): void {
    this.#emitter.on(event, listener as (...facts: unknown[]) => void)
  }

  off(event: string | symbol, listener: Listener): void {
    this.#emitter.removeListener(event, listener as (...facts: unknown[]) => void)
  }

  clear(event?: string | symbol): void {
    // An event that is undefined would be one of that name.
    if (event === undefined) this.#emitter.removeAllListeners()
    else this.#emitter.removeAllListeners(event)
  }
}

export function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

import type { Latency } from './latency.ts'

/** What a fake server can be told to do slowly, wrongly or never. */
export type FakeOperation =
  | 'connect'
  | 'close'
  | 'isAlive'
  | 'reset'
  | 'confirmStale'
  | 'query'
  | 'stream'
  | 'begin'
  | 'commit'
  | 'rollback'
  | 'savepoint'
  | 'cancel'
  | 'onConnect'
  | 'onAcquire'
  | 'onRelease'

/** How one call goes. Nothing said: it succeeds after the server's `latencyMs`. */
export interface Behaviour {
  /** How long until the answer. */
  latencyMs?: Latency
  /** Fails with this error. */
  error?: unknown
  /** No answer ever comes. */
  never?: boolean
  /** A connect goes on although it was aborted; a `never` one for ever. */
  deaf?: boolean
  /** What the liveness check finds, or what `confirmStale` is told. */
  says?: boolean
}

export interface FakeCall {
  readonly operation: FakeOperation
  /** The connection's number; 0 for a connect that has no connection yet. */
  readonly connection: number
}

export type BehaviourOf = Behaviour | ((call: FakeCall) => Behaviour | undefined)

const AS_USUAL: Behaviour = {}

/** How each kind of call goes: the next ones, and all others. */
export class Script {
  readonly #always = new Map<FakeOperation, BehaviourOf>()
  readonly #next = new Map<FakeOperation, Behaviour[]>()

  /** From now on; `undefined` = as usual. */
  always(operation: FakeOperation, behaviour: BehaviourOf | undefined): void {
    if (behaviour === undefined) this.#always.delete(operation)
    else this.#always.set(operation, behaviour)
  }

  /** The next calls, one each; then as before. */
  next(operation: FakeOperation, behaviours: readonly Behaviour[]): void {
    this.#next.set(operation, [...(this.#next.get(operation) ?? []), ...behaviours])
  }

  draw(operation: FakeOperation, connection: number): Behaviour {
    const next = this.#next.size === 0 ? undefined : this.#next.get(operation)?.shift()
    if (next !== undefined) return next
    const always = this.#always.get(operation)
    if (typeof always === 'function') return always({ operation, connection }) ?? AS_USUAL
    return always ?? AS_USUAL
  }
}

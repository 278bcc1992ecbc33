import { FakeError, fakeErrors } from '../fake-error.ts'
import type { Behaviour, FakeOperation } from '../fake-script.ts'
import type { FakeServer } from '../fake-server.ts'
import type { IoClock } from '../io-clock.ts'
import type { Random } from '../random.ts'

/** How much goes wrong with one kind of call, in shares of all. */
export interface Fault {
  fails?: number
  never?: number
  slow?: number
  slowMs?: number
  /** connect: goes on although it was aborted. */
  deaf?: number
  /** connect: the server says that trying again is useless. */
  permanent?: number
  /** isAlive: the answer is no. */
  denies?: number
}

const CALLS: readonly FakeOperation[] = [
  'connect',
  'close',
  'isAlive',
  'reset',
  'confirmStale',
  'query',
  'stream',
  'begin',
  'commit',
  'rollback',
  'savepoint',
  'cancel',
  'onConnect',
  'onAcquire',
  'onRelease',
]

/** What goes wrong between the pool and its server at the moment. */
export class Weather {
  readonly #server: FakeServer
  readonly #random: Random
  readonly #faults = new Map<FakeOperation, Fault>()
  #over = false
  #storms = 0

  constructor(server: FakeServer, random: Random) {
    this.#server = server
    this.#random = random
    for (const call of CALLS) server.always(call, () => this.#behaviour(call))
  }

  /** For a while, calls of this kind go wrong. */
  storm(clock: IoClock, operation: FakeOperation, fault: Fault, ms: number): void {
    if (this.#over) return
    this.#faults.set(operation, fault)
    this.#later(clock, ms, () => {
      if (this.#faults.get(operation) === fault) this.#faults.delete(operation)
    })
  }

  /** For a while, the server is as `begin` makes it. */
  spell(clock: IoClock, ms: number, begin: () => void, end: () => void): void {
    if (this.#over) return
    begin()
    this.#later(clock, ms, end)
  }

  /** From now on everything goes well. */
  clear(): void {
    this.#over = true
    this.#faults.clear()
    this.#server.up()
    this.#server.thaw()
    this.#server.standby = false
    this.#server.maxConnections = Number.POSITIVE_INFINITY
  }

  /** Spells that are still to end. */
  get storms(): number {
    return this.#storms
  }

  #later(clock: IoClock, ms: number, end: () => void): void {
    this.#storms++
    clock.io(ms, () => {
      this.#storms--
      if (!this.#over) end()
    })
  }

  #behaviour(operation: FakeOperation): Behaviour | undefined {
    const fault = this.#faults.get(operation)
    if (fault === undefined) return undefined
    const { fails = 0, never = 0, slow = 0, slowMs = 100, deaf = 0, permanent = 0, denies = 0 } = fault
    const random = this.#random
    const behaviour: Behaviour = {}
    if (random.chance(slow)) behaviour.latencyMs = random.between(0, slowMs)
    if (random.chance(deaf)) behaviour.deaf = true
    if (random.chance(never)) behaviour.never = true
    if (random.chance(denies)) behaviour.says = false
    if (random.chance(permanent)) behaviour.error = new FakeError('permanent', 'wrong password')
    else if (random.chance(fails)) behaviour.error = this.#errorOf(operation)
    return behaviour
  }

  #errorOf(operation: FakeOperation): FakeError {
    if (operation === 'connect') return this.#random.pick([fakeErrors.refused, fakeErrors.exhausted])()
    // A statement may fail by its own fault, by somebody else's, or with its connection.
    const errorClass = this.#random.pick(['statement', 'statement', 'conflict', 'fatal'] as const)
    return new FakeError(errorClass, `${operation} fails`)
  }
}

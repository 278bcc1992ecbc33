import { constants } from 'node:os'
import { assertOption, type Check } from '../contract/check.ts'
import { InvalidOptionError } from '../contract/errors.ts'
import type { CloseReport } from '../contract/pool.ts'

/** Signals that tell a process to stop. */
export type ClosingSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGQUIT' | 'SIGUSR2' | 'SIGBREAK'

const SIGNALS: readonly ClosingSignal[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGBREAK']

export type Closable = { close(): Promise<CloseReport> }

/** One call of `closeOnSignal`. */
interface Request {
  readonly pool: Closable
}

const DRAINS = Symbol.for('rockpool.drains')

/** The pools to drain at one signal; one handler for all of them, also across copies of the package. */
class Drain {
  readonly signal: ClosingSignal
  readonly requests = new Set<Request>()
  #under = false

  constructor(signal: ClosingSignal) {
    this.signal = signal
    // Before others: a handler that is called only once is gone when those behind it are called.
    process.prependListener(signal, this.#run)
  }

  forget(request: Request): void {
    this.requests.delete(request)
    if (this.requests.size === 0 && !this.#under) this.#end()
  }

  readonly #run = async (): Promise<void> => {
    const alone = process.listenerCount(this.signal) === 1
    // A second signal during the drain: somebody is impatient, and right to be.
    if (!this.#under) {
      this.#under = true
      await Promise.allSettled([...this.requests].map(async ({ pool }) => pool.close()))
    }
    this.#end()
    // Ends as the process would have without us: who has a handler of his own decides himself.
    if (alone && process.listenerCount(this.signal) === 0) process.kill(process.pid, this.signal)
  }

  #end(): void {
    process.off(this.signal, this.#run)
    if (drains().get(this.signal) === this) drains().delete(this.signal)
  }
}

function drains(): Map<ClosingSignal, Drain> {
  const shared = globalThis as { [DRAINS]?: Map<ClosingSignal, Drain> }
  shared[DRAINS] ??= new Map()
  return shared[DRAINS]
}

/** Nobody is told of these. */
const SILENT = ['SIGKILL', 'SIGSTOP']

/** Windows does not have them all, and a program may name them there all the same. */
const isSignal = (name: string) =>
  SIGNALS.some((signal) => signal === name) ||
  (Object.hasOwn(constants.signals, name) && !SILENT.includes(name))

const someSignals: Check = (value) =>
  Array.isArray(value) && value.every(isSignal)
    ? undefined
    : 'it must be an array of signals that a process can listen to, such as ["SIGTERM", "SIGINT"]'

/**
 * Drains the pool when the process is told to stop, then lets it end as it would have. Returns a function that undoes it.
 * @throws InvalidOptionError
 */
export function closeOnSignal(
  pool: Closable,
  signals: readonly ClosingSignal[] = ['SIGTERM', 'SIGINT'],
): () => void {
  if (typeof pool?.close !== 'function')
    throw new InvalidOptionError('pool', 'closeOnSignal takes a pool as its first argument')
  assertOption('signals', signals, someSignals)
  const request = { pool }
  const joined = signals.map((signal) => {
    const drain = drains().get(signal) ?? new Drain(signal)
    drains().set(signal, drain)
    drain.requests.add(request)
    return drain
  })
  return () => {
    for (const drain of joined) drain.forget(request)
  }
}

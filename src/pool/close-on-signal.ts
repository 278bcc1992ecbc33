import { InvalidOptionError } from '../contract/errors.ts'
import type { CloseReport } from '../contract/pool.ts'

/** Signals that tell a process to stop. */
export type ClosingSignal = 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGQUIT' | 'SIGUSR2' | 'SIGBREAK'

export type Closable = { close(): Promise<CloseReport> }

const DRAINS = Symbol.for('rockpool.drains')

/** The pools to drain at one signal; one handler for all of them, also across copies of the package. */
class Drain {
  readonly signal: ClosingSignal
  readonly pools = new Set<Closable>()
  #under = false

  constructor(signal: ClosingSignal) {
    this.signal = signal
    process.on(signal, this.#run)
  }

  forget(pool: Closable): void {
    this.pools.delete(pool)
    if (this.pools.size === 0 && !this.#under) this.#end()
  }

  readonly #run = async (): Promise<void> => {
    // A second signal during the drain: somebody is impatient, and right to be.
    if (this.#under) return this.#endProcess()
    this.#under = true
    await Promise.all([...this.pools].map((pool) => pool.close()))
    this.#endProcess()
  }

  /** Ends as the process would have without us: who has a handler of his own decides himself. */
  #endProcess(): void {
    this.#end()
    if (process.listenerCount(this.signal) === 0) process.kill(process.pid, this.signal)
  }

  #end(): void {
    process.off(this.signal, this.#run)
    drains().delete(this.signal)
  }
}

function drains(): Map<ClosingSignal, Drain> {
  const shared = globalThis as { [DRAINS]?: Map<ClosingSignal, Drain> }
  shared[DRAINS] ??= new Map()
  return shared[DRAINS]
}

/**
 * Drains the pool when the process is told to stop, then lets it end as it would have. Returns a function that undoes it.
 */
export function closeOnSignal(
  pool: Closable,
  signals: readonly ClosingSignal[] = ['SIGTERM', 'SIGINT'],
): () => void {
  if (typeof pool?.close !== 'function')
    throw new InvalidOptionError('pool', 'closeOnSignal takes a pool as its first argument')
  const joined = signals.map((signal) => {
    const drain = drains().get(signal) ?? new Drain(signal)
    drains().set(signal, drain)
    drain.pools.add(pool)
    return drain
  })
  return () => {
    for (const drain of joined) drain.forget(pool)
  }
}

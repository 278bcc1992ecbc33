/** The threads in which libuv runs what would block: those of ODBC, of files, of name lookups. */
function threadCount(): number {
  const given = Number(process.env.UV_THREADPOOL_SIZE)
  return given >= 1 ? Math.min(Math.floor(given), 1024) : 4
}

const PLACE = Symbol.for('rockpool.odbc.gate')

/** Of a transaction that may hold locks, or what frees them: its end, a cancel, a goodbye. Who frees goes first. */
export type Rank = 'plain' | 'holding' | 'freeing'

const RANKS = ['freeing', 'holding', 'plain'] as const satisfies Rank[]

/** Threads that a statement leaves to those of a higher rank, where each connection can have a thread, and where not. */
const SPARE = {
  enough: { freeing: 0, holding: 0, plain: 1 },
  tooFew: { freeing: 0, holding: 1, plain: 2 },
} as const satisfies Record<string, Record<Rank, number>>

/**
 * What all ODBC connections of a process share, and what stands behind each rule here. The package holds one lock while
 * it connects, under which no statement can begin: so connects go one after another, and one that nobody wants any more
 * is left out; statements wait for them outside of the threads. Each statement takes a thread of libuv for as long as it
 * runs: some are left free, or statements that wait for a lock would hold every thread that could give it up.
 */
export class Gate {
  readonly #threads = threadCount()
  readonly #waiting: Record<Rank, (() => void)[]> = { freeing: [], holding: [], plain: [] }
  #connects: Promise<unknown> = Promise.resolve()
  #isConnecting = false
  #running = 0
  #open = 0
  #hasWarned = false

  /** The same for every copy of this module. */
  static shared(): Gate {
    const everywhere = globalThis as { [PLACE]?: Gate }
    everywhere[PLACE] ??= new Gate()
    return everywhere[PLACE]
  }

  /** Runs a connect, when those before it have ended. */
  async connect<T>(signal: AbortSignal, connect: () => Promise<T>): Promise<T> {
    const turn = this.#connects.then(async () => {
      signal.throwIfAborted()
      this.#isConnecting = true
      try {
        return await connect()
      } finally {
        this.#isConnecting = false
        this.#wake()
      }
    })
    this.#connects = turn.catch(() => undefined)
    return turn
  }

  /** Runs a statement, when there is a thread for its rank. */
  async run<T>(rank: Rank, call: () => Promise<T>): Promise<T> {
    if (this.#mayRun(rank)) this.#running++
    else await new Promise<void>((begin) => this.#waiting[rank].push(begin))
    try {
      return await call()
    } finally {
      this.#running--
      this.#wake()
    }
  }

  opened(): void {
    this.#open++
    if (this.#hasWarned || this.#open < this.#threads) return
    this.#hasWarned = true
    process.emitWarning(
      `${this.#open} ODBC connections share ${this.#threads} threads: ${Math.max(1, this.#threads - 2)} statements run at a time, the others wait. Start the program with UV_THREADPOOL_SIZE=${this.#open + 4} or more, or set "max" to ${Math.max(1, this.#threads - 1)}.`,
      { code: 'ROCKPOOL_ODBC_THREADS' },
    )
  }

  closed(): void {
    this.#open--
  }

  #mayRun(rank: Rank): boolean {
    if (this.#isConnecting) return false
    const spare = SPARE[this.#open > this.#threads ? 'tooFew' : 'enough'][rank]
    return rank === 'freeing' || this.#running < Math.max(1, this.#threads - spare)
  }

  /** Whoever is let in counts at once. */
  #wake(): void {
    for (;;) {
      const rank = RANKS.find((one) => this.#waiting[one].length > 0 && this.#mayRun(one))
      if (rank === undefined) return
      this.#running++
      this.#waiting[rank].shift()?.()
    }
  }
}

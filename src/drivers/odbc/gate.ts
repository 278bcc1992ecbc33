/** The threads in which libuv runs what would block: those of ODBC, of files, of name lookups. */
function threadCount(): number {
  const given = Number(process.env.UV_THREADPOOL_SIZE)
  return given >= 1 ? Math.min(Math.floor(given), 1024) : 4
}

const PLACE = Symbol.for('rockpool.odbc.gate')

/**
 * What all ODBC connections of a process share, and what stands behind each rule here. The package holds one lock while
 * it connects, under which no statement can begin: so connects go one after another, and one that nobody wants any more
 * is left out; statements wait for them outside of the threads. Each statement takes a thread of libuv for as long as it
 * runs: one thread is left free for the rest of the program, for the end of a transaction and for cancels, without which
 * statements that wait for a lock would hold every thread that could give it up.
 */
export class Gate {
  readonly #threads = threadCount()
  readonly #urgent: (() => void)[] = []
  readonly #others: (() => void)[] = []
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

  /** Runs a statement; an urgent one is not held back, because others may be waiting for what it does. */
  async run<T>(isUrgent: boolean, call: () => Promise<T>): Promise<T> {
    if (this.#mayRun(isUrgent)) this.#running++
    else await this.#turn(isUrgent)
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
      `${this.#open} ODBC connections share ${this.#threads} threads: ${this.#threads - 1} statements run at a time, the others wait. Start the program with UV_THREADPOOL_SIZE=${this.#open + 4} or more, or set "max" to ${Math.max(1, this.#threads - 1)}.`,
      { code: 'ROCKPOOL_ODBC_THREADS' },
    )
  }

  closed(): void {
    this.#open--
  }

  #mayRun(isUrgent: boolean): boolean {
    return !this.#isConnecting && (isUrgent || this.#running < Math.max(1, this.#threads - 1))
  }

  #turn(isUrgent: boolean): Promise<void> {
    return new Promise((begin) => {
      if (isUrgent) this.#urgent.push(begin)
      else this.#others.push(begin)
    })
  }

  /** Whoever is let in counts at once. */
  #wake(): void {
    for (;;) {
      const isUrgent = this.#urgent.length > 0
      const begin = this.#mayRun(isUrgent) ? (isUrgent ? this.#urgent : this.#others).shift() : undefined
      if (begin === undefined) return
      this.#running++
      begin()
    }
  }
}

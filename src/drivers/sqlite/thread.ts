import { Worker } from 'node:worker_threads'
import { threadProgram } from './program.ts'
import type { Ask, Reply, ThreadStart, Thrown } from './serve.ts'

/** What the library threw in the thread, as far as it can travel. */
function revive({ message, name, stack, facts }: Thrown): Error {
  const error = Object.assign(new Error(message), facts)
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  if (stack !== undefined) error.stack = stack
  return error
}

/** The thread is gone, and its connection with it. */
class ThreadEndedError extends Error {
  override readonly name = 'ThreadEndedError'
  readonly code = 'SQLITE_THREAD_ENDED'
}

interface Pending {
  readonly id: number
  resolve(reply: Reply): void
  reject(error: unknown): void
}

let program: string | undefined

/** A worker thread with one connection. It answers one request at a time. */
export class Thread {
  readonly #worker: Worker
  readonly #stop = new Int32Array(new SharedArrayBuffer(4))
  readonly #exited: Promise<void>
  #pending: Pending | undefined = undefined
  #lastId = 0
  /** The request that began what is under way: to ask for more of its rows begins nothing. */
  #task = 0
  #death: Error | undefined = undefined
  #closing: Promise<void> | undefined = undefined
  /** As of the last answer. */
  inTransaction = false
  /** Told when the thread ends by itself. */
  onDeath: ((error: Error) => void) | undefined = undefined

  constructor(start: Omit<ThreadStart, 'stop'>) {
    program ??= threadProgram()
    const data: ThreadStart = { ...start, stop: this.#stop.buffer }
    // The flags of the program are not for us: a loader, for one, would be set up in every thread.
    this.#worker = new Worker(program, { eval: true, workerData: { rockpool: data }, execArgv: [] })
    this.#worker.on('message', (reply: Reply) => this.#answered(reply))
    this.#worker.on('messageerror', (error) => this.#died(error))
    this.#worker.on('error', (error) => this.#died(error))
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#died(undefined)
        resolve()
      })
    })
  }

  get isAlive(): boolean {
    return this.#death === undefined && this.#closing === undefined
  }

  /** Rejects with what the library threw, or with a ThreadEndedError. */
  async ask(ask: Ask): Promise<Reply> {
    if (this.#death !== undefined) throw this.#death
    const id = ++this.#lastId
    if (ask.op !== 'more') this.#task = id
    const reply = await new Promise<Reply>((resolve, reject) => {
      this.#pending = { id, resolve, reject }
      this.#worker.postMessage({ id, ask })
    })
    if (reply.thrown !== undefined) throw revive(reply.thrown)
    return reply
  }

  /** What is under way ends between two of its rows; nothing that comes later is touched. */
  interrupt(): void {
    Atomics.store(this.#stop, 0, this.#task)
  }

  /**
   * Resolves when the thread has ended. It is asked, not killed: no runtime can stop a library within a call, and libsql
   * takes the whole process with it when somebody tries.
   */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  ref(): void {
    this.#worker.ref()
  }

  unref(): void {
    this.#worker.unref()
  }

  async #end(): Promise<void> {
    if (this.#death === undefined) {
      // A process that ends while the library works in another thread does not end well.
      this.#worker.ref()
      const before = this.#pending
      this.interrupt()
      const id = ++this.#lastId
      const closed = new Promise<void>((resolve) => {
        this.#pending = { id, resolve: () => resolve(), reject: () => resolve() }
      })
      before?.reject(new ThreadEndedError('the connection was closed while its statement ran'))
      this.#worker.postMessage({ id, ask: { op: 'close' } satisfies Ask })
      await closed
      void this.#worker.terminate()
    }
    await this.#exited
  }

  #answered(reply: Reply): void {
    const pending = this.#pending
    if (pending?.id !== reply.id) return
    this.#pending = undefined
    this.inTransaction = reply.inTransaction
    pending.resolve(reply)
  }

  #died(cause: unknown): void {
    if (this.#death !== undefined) return
    const death = new ThreadEndedError(
      "the connection's thread has ended",
      cause === undefined ? undefined : { cause },
    )
    this.#death = death
    this.inTransaction = false
    this.#pending?.reject(death)
    this.#pending = undefined
    if (this.#closing === undefined) this.onDeath?.(death)
  }
}

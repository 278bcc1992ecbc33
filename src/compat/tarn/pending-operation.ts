import { Withdrawal } from '../withdrawal.ts'

/** An acquire under way. */
export class PendingOperation<T> {
  /** What is waited for. */
  readonly promise: Promise<T>
  isRejected = false
  readonly #withdrawal = new Withdrawal()
  #instead: { readonly value: T } | undefined = undefined

  /** `run` gives up once the withdrawal is aborted. */
  constructor(run: (pending: PendingOperation<T>, withdrawal: Withdrawal) => Promise<T>) {
    this.promise = run(this, this.#withdrawal)
  }

  /** Gives up waiting; `promise` rejects, unless it has resolved. */
  abort(): void {
    this.reject(new Error('aborted'))
  }

  /** Gives up waiting with a reason. */
  reject(error: unknown): void {
    // Who takes back what he asked for need not look at the promise any more.
    this.promise.catch(() => {})
    this.#withdrawal.abort(error)
  }

  /** Gives up waiting, and resolves `promise` with something else, unless it has resolved. */
  resolve(value: T): void {
    this.#instead = { value }
    this.#withdrawal.abort(new Error('resolved'))
  }

  /** What `resolve` was called with. */
  get instead(): { readonly value: T } | undefined {
    return this.#instead
  }
}

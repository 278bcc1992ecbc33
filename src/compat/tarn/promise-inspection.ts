/** What a promise came to. */
export class PromiseInspection<T> {
  readonly #value: T | undefined
  readonly #error: unknown

  constructor(outcome: { value?: T; error?: unknown }) {
    this.#value = outcome.value
    this.#error = outcome.error
  }

  value(): T | undefined {
    return this.#value
  }

  reason(): unknown {
    return this.#error
  }

  isRejected(): boolean {
    return this.#error !== undefined
  }

  isFulfilled(): boolean {
    return this.#error === undefined
  }
}

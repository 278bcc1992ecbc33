/** An acquire took longer than `acquireTimeoutMillis`. Its `cause` says what the pool looked like. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError'
}

/** Several destroys have failed. Known outside as `AggregateError`. */
export class DestroyErrors extends Error {
  override readonly name = 'AggregateError'
  readonly errors: Error[]

  constructor(errors: Error[]) {
    super()
    this.errors = errors
  }

  /** One failure a line, those within others further to the right. */
  override toString(): string {
    return `AggregateError of:\n${this.errors.map((error) => this.#line(error)).join('\n')}\n`
  }

  #line(error: Error): string {
    if (error === this) return '[Circular AggregateError]'
    const text = String(error)
    return error instanceof DestroyErrors
      ? text.replace(/\n$/, '').replace(/^/gm, '  ')
      : text.replace(/^/gm, '    ').slice(2)
  }
}

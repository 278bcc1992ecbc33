interface Waiter<R> {
  readonly resolve: (resource: R) => void
  readonly reject: (error: Error) => void
  readonly deadline: number
  next: Waiter<R> | undefined
  previous: Waiter<R> | undefined
}

/**
 * The least that a pool with deadlines can do: all waiters have the same patience, so they stand in the order of their
 * deadlines; a linked list lets them leave, and one timer serves them all.
 */
export class DeadlinePool<R> {
  readonly #idle: R[]
  readonly #timeoutMs: number
  #first: Waiter<R> | undefined
  #last: Waiter<R> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(resources: readonly R[], timeoutMs: number) {
    this.#idle = [...resources]
    this.#timeoutMs = timeoutMs
  }

  acquire(): Promise<R> {
    const resource = this.#idle.pop()
    if (resource !== undefined) return Promise.resolve(resource)
    return new Promise((resolve, reject) => {
      const deadline = performance.now() + this.#timeoutMs
      const waiter: Waiter<R> = { resolve, reject, deadline, next: undefined, previous: this.#last }
      if (this.#last === undefined) this.#first = waiter
      else this.#last.next = waiter
      this.#last = waiter
      this.#timer ??= setTimeout(() => this.#expire(), this.#timeoutMs)
    })
  }

  release(resource: R): void {
    const waiter = this.#first
    if (waiter === undefined) {
      this.#idle.push(resource)
      return
    }
    this.#remove(waiter)
    waiter.resolve(resource)
  }

  #remove(waiter: Waiter<R>): void {
    if (waiter.previous === undefined) this.#first = waiter.next
    else waiter.previous.next = waiter.next
    if (waiter.next === undefined) this.#last = waiter.previous
    else waiter.next.previous = waiter.previous
  }

  /** Moving the timer at each hand-over would cost more than finding nothing to do once. */
  #expire(): void {
    this.#timer = undefined
    const now = performance.now()
    for (let waiter = this.#first; waiter !== undefined && waiter.deadline <= now; waiter = this.#first) {
      this.#remove(waiter)
      waiter.reject(new Error(`no resource within ${this.#timeoutMs} ms`))
    }
    if (this.#first !== undefined)
      this.#timer = setTimeout(() => this.#expire(), Math.ceil(this.#first.deadline - now))
  }

  close(): void {
    clearTimeout(this.#timer)
  }
}

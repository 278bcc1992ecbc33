/** What has been opened and must be closed whatever happens, last opened first. */
export class Cleanup {
  readonly #tasks: (() => Promise<unknown>)[] = []
  #running: Promise<void> | undefined

  add(task: () => Promise<unknown>): void {
    // An interrupted step may still open something while everything is being closed.
    this.#tasks.push(task)
    if (this.#running !== undefined) this.#running = this.#running.then(() => this.#runAll())
  }

  /** Runs every task, also after one has failed, and then throws the first failure. */
  run(): Promise<void> {
    this.#running ??= this.#runAll()
    return this.#running
  }

  async #runAll(): Promise<void> {
    const failures: unknown[] = []
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      try {
        await task()
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw failures[0]
  }
}

/** The end of one connection, and who is told of it. */
export class Ending {
  #isClosing = false
  #end: { readonly error: unknown } | undefined
  #onLost: ((error: unknown) => void) | undefined

  get isClosing(): boolean {
    return this.#isClosing
  }

  get isLost(): boolean {
    return this.#end !== undefined
  }

  /** We end it: what happens to it from now on is no loss. */
  markClosing(): void {
    this.#isClosing = true
  }

  /** Told once, and at once if it has happened already. */
  onLost(told: (error: unknown) => void): void {
    this.#onLost = told
    if (this.#end !== undefined && !this.#isClosing) told(this.#end.error)
  }

  /** Why it ended. */
  protected get reason(): unknown {
    return this.#end?.error
  }

  /** The first reason counts. */
  protected endedBy(error: unknown): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    if (!this.#isClosing) this.#onLost?.(error)
  }
}

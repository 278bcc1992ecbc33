import type { Permits } from '../../contract/permits.ts'

/** A budget of connections that the pool shares with somebody else. */
export class Budget implements Permits {
  #size: number
  #free: number
  #wake: () => void = () => {}
  #retireOneIdle: () => boolean = () => false
  #refused = false

  constructor(size: number) {
    this.#size = size
    this.#free = size
  }

  /** Permits that the pool has and has not given back. */
  get taken(): number {
    return this.#size - this.#free
  }

  take(): boolean {
    if (this.#free <= 0) {
      this.#refused = true
      return false
    }
    this.#free--
    return true
  }

  give(): void {
    this.#free++
    if (!this.#refused) return
    this.#refused = false
    this.#wake()
  }

  onFree(wake: () => void): void {
    this.#wake = wake
  }

  onWanted(retireOneIdle: () => boolean): void {
    this.#retireOneIdle = retireOneIdle
  }

  /** Nobody else needs any more. */
  widen(): void {
    this.#size += 1_000
    this.#free += 1_000
    this.#wake()
  }

  /** Somebody else needs one. */
  want(): void {
    this.#retireOneIdle()
  }
}

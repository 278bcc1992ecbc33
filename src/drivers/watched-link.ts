import { Ending } from './ending.ts'

/** What is known of a connection whose package has no event for its end, nor for what is in flight. */
export abstract class WatchedLink extends Ending {
  /** It has not answered in time: whatever we ask may hang as well. */
  isSilent = false
  /** A cancel has been sent, which may still be on its way. */
  cancelling: Promise<void> | undefined
  #running = 0
  #whenQuiet: (() => void)[] = []

  get isRunning(): boolean {
    return this.#running > 0
  }

  get isBusy(): boolean {
    return this.isRunning || this.cancelling !== undefined
  }

  /** Resolves when nothing is in flight. */
  async quiet(): Promise<void> {
    while (this.isBusy) {
      await this.cancelling?.catch(() => undefined)
      if (this.isRunning) await new Promise<void>((resolve) => this.#whenQuiet.push(resolve))
    }
  }

  /** Something that keeps the connection busy. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#running++
    try {
      return await work()
    } catch (error) {
      this.failed(error)
      throw error
    } finally {
      this.#running--
      if (this.#running === 0) for (const told of this.#whenQuiet.splice(0)) told()
    }
  }

  protected abstract failed(error: unknown): void
}

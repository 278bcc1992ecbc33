import type { Look } from './look.ts'

/** Something that goes on and can be watched. */
export interface View {
  /** From 0 to 1. */
  progress(): number
  /** What stands beside the bar, e.g. `120/200`. */
  count(): string
  /** Further lines for a terminal. */
  lines(look: Look): string[]
  /** The same in a few words, for a log; undefined where the count says enough. */
  words(): string | undefined
}

export interface Screen {
  readonly look: Look
  line(text?: string): void
  /** Shows a view while `work` runs. */
  follow<T>(work: Promise<T>, view: View): Promise<T>
  /** All cells but those of the first column stand to the right. */
  table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void>
}

export interface ScreenParts {
  readonly output: NodeJS.WriteStream
  readonly look: Look
  /** Aborted when the program is to stop: nothing is shown any more. */
  readonly signal: AbortSignal
}

import type { Look } from './look.ts'
import { drawTable } from './table.ts'
import type { Screen, ScreenParts, View } from './view.ts'

const LOOK_EVERY_MS = 20
const MILESTONES = 4

/** Lines for a log: no colours, nothing drawn over. */
export class PlainScreen implements Screen {
  readonly look: Look
  readonly #output: NodeJS.WriteStream
  readonly #signal: AbortSignal

  constructor({ output, look, signal }: ScreenParts) {
    this.#output = output
    this.#signal = signal
    this.look = look
  }

  line(text = ''): void {
    if (!this.#signal.aborted) this.#output.write(`${text}\n`)
  }

  async follow<T>(work: Promise<T>, view: View): Promise<T> {
    let passed = 0
    const timer = setInterval(() => {
      const words = view.words()
      if (words === undefined || view.progress() < (passed + 1) / MILESTONES) return
      passed++
      this.line(`   ${view.count()}  ${words}`)
    }, LOOK_EVERY_MS)
    try {
      return await work
    } finally {
      clearInterval(timer)
    }
  }

  async table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    this.line(await drawTable(head, rows, 'none'))
  }
}

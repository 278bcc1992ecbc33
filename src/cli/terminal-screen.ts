import type { Look } from './look.ts'
import { importInstalled } from './packages.ts'
import { drawTable } from './table.ts'
import type { Screen, ScreenParts, View } from './view.ts'

type LogUpdate = ReturnType<typeof import('log-update')['createLogUpdate']>

const FRAME_MS = 50
const BAR_WIDTH = 40

/** A terminal: views are drawn over themselves until they end. */
export class TerminalScreen implements Screen {
  readonly look: Look
  readonly #output: NodeJS.WriteStream
  readonly #update: LogUpdate
  readonly #signal: AbortSignal

  private constructor({ output, look, signal }: ScreenParts, update: LogUpdate) {
    this.look = look
    this.#output = output
    this.#update = update
    this.#signal = signal
  }

  static async open(parts: ScreenParts): Promise<TerminalScreen> {
    const { createLogUpdate } = (await importInstalled('log-update')) as typeof import('log-update')
    return new TerminalScreen(parts, createLogUpdate(parts.output))
  }

  line(text = ''): void {
    if (!this.#signal.aborted) this.#output.write(`${text}\n`)
  }

  async follow<T>(work: Promise<T>, view: View): Promise<T> {
    if (this.#signal.aborted) return work
    const draw = () => this.#update(this.#frame(view))
    const timer = setInterval(draw, FRAME_MS)
    const stop = () => {
      clearInterval(timer)
      this.#update.clear()
      this.#update.done()
    }
    this.#signal.addEventListener('abort', stop, { once: true })
    draw()
    try {
      return await work
    } finally {
      this.#signal.removeEventListener('abort', stop)
      if (!this.#signal.aborted) stop()
    }
  }

  async table(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    const bold = head.map((text) => this.look.bold(text))
    this.line(await drawTable(bold, rows, this.look.symbols.border))
  }

  #frame(view: View): string {
    const [full, empty] = this.look.symbols.bar
    const filled = Math.round(Math.min(1, view.progress()) * BAR_WIDTH)
    const bar = this.look.busy(full.repeat(filled)) + this.look.dim(empty.repeat(BAR_WIDTH - filled))
    return [`${bar}  ${view.count()}`, ...view.lines(this.look)].map((line) => `   ${line}`).join('\n')
  }
}

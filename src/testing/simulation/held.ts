import { dispose } from '../../contract/dispose.ts'
import type { Socket } from './socket.ts'
import type { AnyLease, Stage } from './stage.ts'
import { codeOf } from './tickets.ts'

/** A lease in a caller's hands. */
export class Held<L extends AnyLease = AnyLease> {
  readonly lease: L
  readonly socket: Socket
  readonly caller: number
  readonly #stage: Stage
  #over = false

  constructor(stage: Stage, caller: number, { lease, socket }: { lease: L; socket: Socket }) {
    this.#stage = stage
    this.caller = caller
    this.lease = lease
    this.socket = socket
  }

  /** Whether the pool has ended it, or its holder has. */
  get isOver(): boolean {
    return this.#over || this.socket.owner?.callers.includes(this.caller) !== true
  }

  release(): void {
    this.#end('release', () => this.lease.release())
  }

  dispose(): void {
    this.#end('dispose', () => this.lease[dispose]())
  }

  destroy(): void {
    if (!this.isOver) this.socket.destroyed = true
    this.#end('destroy', () => this.lease.destroy(new Error('the caller does not want it any more')))
  }

  retire(): void {
    if (this.isOver) return
    this.#stage.call('retire', this.caller)
    this.lease.retire()
    // It comes back one way or another, and then it ends.
    this.socket.destroyed = true
  }

  /** Takes the connection out of the pool; the caller closes it after this time. */
  detach(closeAfterMs: number): void {
    const { parts } = this.#stage
    if (this.isOver || (this.socket.owner?.callers.length ?? 0) > 1) {
      this.release()
      return
    }
    this.#stage.call('detach', this.caller)
    this.#over = true
    parts.ledger.detach(this.socket, this.caller)
    const connection = this.lease.detach()
    parts.clock.io(closeAfterMs, () => {
      parts.server.close(connection).catch(() => {})
    })
  }

  /** Ends it once more, which must be refused, and do no harm. */
  endAgain(how: 'release' | 'destroy' | 'detach' | 'retire'): void {
    this.#stage.call(`${how} again`, this.caller)
    const { law } = this.#stage.parts
    try {
      this.lease[how]()
      law.breaks('a stale lease is refused', `${how} by ${this.caller}`)
    } catch (error) {
      law.demand(codeOf(error) === 'LEASE_RELEASED', 'a stale lease is refused', () => String(error))
    }
  }

  /** Uses it after its end, which must be refused. */
  useAfterEnd(): void {
    this.#stage.call('use after the end', this.caller)
    const { law } = this.#stage.parts
    try {
      void this.lease.connection
      law.breaks('a stale lease is refused', `use by ${this.caller}`)
    } catch (error) {
      law.demand(codeOf(error) === 'LEASE_RELEASED', 'a stale lease is refused', () => String(error))
    }
  }

  #end(how: string, run: () => void): void {
    this.#stage.call(how, this.caller)
    this.#over = true
    this.#stage.parts.ledger.givenBack(this.socket, this.caller)
    try {
      run()
    } catch (error) {
      this.#stage.parts.law.breaks(
        'a lease ends without an error',
        `${how} by ${this.caller}: ${String(error)}`,
      )
    }
  }
}

import { Socket } from 'node:net'
import type { Address } from './conformance/subject.ts'
import { FaultPipe, type Faults, NO_FAULTS } from './fault-pipe.ts'

/** From the client to the server, or back. */
export type Direction = 'up' | 'down'

export const DIRECTIONS: readonly Direction[] = ['up', 'down']

/** One client's connection through a fault proxy, and the proxy's own to the server. */
export class FaultConnection {
  /** When the client connected, on the clock of `performance.now()`. */
  readonly since = performance.now()
  /** Resolves when both of its sockets are closed. */
  readonly closed: Promise<void>
  readonly #near: Socket
  readonly #far = new Socket({ allowHalfOpen: true })
  readonly #target: Address
  readonly #pipes: Readonly<Record<Direction, FaultPipe>>
  readonly #faults: Record<Direction, Faults> = { up: NO_FAULTS, down: NO_FAULTS }
  #isDialled = false

  /** `near` must have been accepted with `allowHalfOpen`. */
  constructor(near: Socket, target: Address, faults: Readonly<Record<Direction, Faults>>) {
    this.#near = near
    this.#target = target
    const far = this.#far
    this.#pipes = { up: new FaultPipe(near, far), down: new FaultPipe(far, near) }
    near.setNoDelay(true)
    near.on('error', () => reset(far))
    far.on('error', () => reset(near))
    this.closed = Promise.all([closeOf(near), closeOf(far)]).then(() => undefined)
    this.set(faults.up, 'up')
    this.set(faults.down, 'down')
  }

  /** Changes what is wrong with this connection; what is not named stays as it is. */
  set(faults: Partial<Faults>, direction?: Direction): void {
    for (const way of direction === undefined ? DIRECTIONS : [direction]) {
      this.#faults[way] = { ...this.#faults[way], ...faults }
      this.#pipes[way].faults = this.#faults[way]
    }
    this.#dial()
  }

  /** Tells one end that the other has nothing more to say (FIN); the way back stays open. */
  halfClose(direction: Direction): void {
    this.#pipes[direction].end()
  }

  /** Ends it for both ends with a reset (RST). */
  reset(): void {
    reset(this.#near)
    reset(this.#far)
  }

  /** Closes both sockets. */
  destroy(): void {
    this.#near.destroy()
    this.#far.destroy()
  }

  /** On a silent network nobody gets through to the server, so it is dialled when the way up is open. */
  #dial(): void {
    if (this.#isDialled || this.#faults.up.silent) return
    this.#isDialled = true
    this.#far.connect({ host: this.#target.host, port: this.#target.port, noDelay: true })
  }
}

/** While an end is on its way Node fails to reset, and then never says that the socket is closed. */
function reset(socket: Socket): void {
  if (socket.connecting || (socket.writableEnded && !socket.writableFinished)) socket.destroy()
  else socket.resetAndDestroy()
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

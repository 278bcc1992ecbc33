import { FakeConnection, type FakeHost } from './fake-connection.ts'
import { fakeErrors } from './fake-error.ts'
import type { Behaviour } from './fake-script.ts'

/** What the sockets need of the server that they belong to. */
export interface SocketHost extends FakeHost {
  readonly maxConnections: number
  /** New sessions are on a server that takes no writes. */
  readonly standby: boolean
  readonly misuse: string[]
  note(what: 'kill' | 'vanish' | 'aborted', connection: number): void
}

/** The connections of a fake server, as the server counts them. */
export class FakeSockets {
  readonly #host: SocketHost
  readonly #open = new Set<FakeConnection>()
  #ids = 0
  #peak = 0
  #down = false

  constructor(host: SocketHost) {
    this.#host = host
  }

  get open(): ReadonlySet<FakeConnection> {
    return this.#open
  }

  get peak(): number {
    return this.#peak
  }

  connect({ signal }: { signal: AbortSignal }): Promise<FakeConnection> {
    const host = this.#host
    const behaviour = host.call('connect', 0, '')
    const refusal = this.#refusal(behaviour)
    const connection = new FakeConnection(host, ++this.#ids)
    // A socket counts from the first moment on; one that is refused never becomes a session.
    if (refusal === undefined) this.#add(connection)
    return new Promise((resolve, reject) => {
      const abort = () => {
        if (behaviour.deaf) return
        timer?.cancel()
        host.note('aborted', connection.id)
        this.#open.delete(connection)
        reject(signal.reason)
      }
      const settle = () => {
        signal.removeEventListener('abort', abort)
        const error = refusal ?? behaviour.error
        if (error === undefined && this.#open.has(connection)) return resolve(connection)
        this.#open.delete(connection)
        reject(error ?? fakeErrors.reset())
      }
      const timer = behaviour.never ? undefined : host.deliver(host.draw(behaviour.latencyMs), settle)
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    })
  }

  close(connection: FakeConnection): Promise<void> {
    const host = this.#host
    const behaviour = host.call('close', connection.id, '')
    if (connection.closed) host.misuse.push(`connection ${connection.id} was closed twice`)
    connection.closed = true
    connection.end(fakeErrors.closed(), { lost: false })
    return new Promise((resolve, reject) => {
      if (behaviour.never || connection.vanished === 'silence') return
      host.deliver(host.draw(behaviour.latencyMs), () => {
        this.#open.delete(connection)
        connection.session.clear()
        if (behaviour.error === undefined) resolve()
        else reject(behaviour.error)
      })
    })
  }

  /** Asks, on a way of its own, to stop what runs on this connection. */
  cancel(connection: FakeConnection): Promise<void> {
    const host = this.#host
    const behaviour = host.call('cancel', connection.id, '')
    return new Promise((resolve, reject) => {
      if (behaviour.never) return
      const half = host.draw(behaviour.latencyMs) / 2
      host.deliver(half, () => {
        if (behaviour.error === undefined) connection.interrupt()
        host.deliver(half, () => (behaviour.error === undefined ? resolve() : reject(behaviour.error)))
      })
    })
  }

  /** The server ends these connections and says so. */
  kill(victims: Iterable<FakeConnection>, error: unknown): void {
    for (const victim of victims) {
      if (!this.#open.delete(victim)) continue
      this.#host.note('kill', victim.id)
      endSession(victim)
      victim.killed = true
      this.#host.deliver(this.#host.draw(undefined) / 2, () => victim.end(error, { lost: true }))
    }
  }

  /** These connections lose their server, and nobody is told. */
  vanish(victims: Iterable<FakeConnection>, how: 'silence' | 'reset'): void {
    for (const victim of victims) {
      if (!this.#open.delete(victim)) continue
      this.#host.note('vanish', victim.id)
      endSession(victim)
      victim.vanished = how
    }
  }

  down(): void {
    this.#down = true
    this.kill([...this.#open], fakeErrors.reset())
  }

  up(): void {
    this.#down = false
  }

  #refusal(behaviour: Behaviour): unknown {
    if (this.#down) return fakeErrors.refused()
    if (behaviour.error === undefined && this.#open.size >= this.#host.maxConnections)
      return fakeErrors.exhausted()
    return undefined
  }

  #add(connection: FakeConnection): void {
    connection.session.standby = this.#host.standby
    this.#open.add(connection)
    this.#peak = Math.max(this.#peak, this.#open.size)
  }
}

/** A statement outside of a transaction took effect when it ran, whether or not its answer arrives. */
function endSession({ session }: FakeConnection): void {
  session.settle()
  session.clear()
}

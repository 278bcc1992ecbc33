import { asyncDispose } from '../contract/dispose.ts'
/// <reference lib="esnext.disposable" preserve="true" />

import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { Address } from './conformance/subject.ts'
import { DIRECTIONS, type Direction, FaultConnection } from './fault-connection.ts'
import { type Faults, NO_FAULTS } from './fault-pipe.ts'

export type { Direction, FaultConnection } from './fault-connection.ts'
export type { Faults } from './fault-pipe.ts'

/** How many connections a fault proxy has seen. */
export interface FaultProxyCounts {
  /** Clients that have connected so far. */
  readonly accepted: number
  /** Connections that have not ended on both sides. */
  readonly open: number
  /** Most that were open at a time. */
  readonly mostOpen: number
}

/**
 * A TCP proxy in this process that does to connections what networks do, whenever it is told to:
 *
 *     const proxy = await new FaultProxy({ host: '127.0.0.1', port: 5432 }).listen()
 *     const pool = createPool(proxy.url('postgres://me@127.0.0.1:5432/db'))
 *     proxy.set({ latencyMs: 50 }, 'down')   // every answer takes longer
 *     proxy.set({ silent: true })            // nothing gets through, sockets stay open
 *     proxy.heal()
 */
export class FaultProxy implements AsyncDisposable {
  readonly host = '127.0.0.1'
  #target: Address
  #port = 0
  #server: Server | undefined
  #refusing: Promise<void> | undefined
  readonly #connections = new Set<FaultConnection>()
  readonly #faults: Record<Direction, Faults> = { up: NO_FAULTS, down: NO_FAULTS }
  #accepted = 0
  #mostOpen = 0
  /** Called with every connection as it is accepted. */
  onConnection: ((connection: FaultConnection) => void) | undefined

  constructor(target: Address) {
    this.#target = target
  }

  /** Begins to accept, on a free port or the given one. */
  async listen(port = 0): Promise<this> {
    this.#port = port
    await this.accept()
    return this
  }

  /** 0 before `listen`. */
  get port(): number {
    return this.#port
  }

  /** The same URL, through this proxy. */
  url(url: string | URL): string {
    const through = new URL(url)
    through.hostname = this.host
    through.port = String(this.#port)
    return through.href
  }

  /** The connections that are open, the oldest first. */
  get connections(): readonly FaultConnection[] {
    return [...this.#connections]
  }

  get counts(): FaultProxyCounts {
    return { accepted: this.#accepted, open: this.#connections.size, mostOpen: this.#mostOpen }
  }

  /** New connections go there. */
  pointTo(target: Address): void {
    this.#target = target
  }

  /** Changes what is wrong with all connections, later ones included; what is not named stays as it is. */
  set(faults: Partial<Faults>, direction?: Direction): void {
    for (const way of direction === undefined ? DIRECTIONS : [direction])
      this.#faults[way] = { ...this.#faults[way], ...faults }
    for (const connection of this.#connections) connection.set(faults, direction)
  }

  /** Nothing is wrong any more: what was held back arrives, and new connections are accepted. */
  async heal(): Promise<void> {
    this.set(NO_FAULTS)
    await this.accept()
  }

  /** Ends all connections with a reset (RST). */
  reset(): void {
    for (const connection of this.#connections) connection.reset()
  }

  /** Tells one end of all connections that the other has nothing more to say (FIN). */
  halfClose(direction: Direction): void {
    for (const connection of this.#connections) connection.halfClose(direction)
  }

  /** Closes all connections, on both sides. */
  killAll(): void {
    for (const connection of this.#connections) connection.destroy()
  }

  /** New connections are refused (ECONNREFUSED); those that are open stay. */
  async refuse(): Promise<void> {
    const server = this.#server
    if (server === undefined) return
    this.#server = undefined
    // It stops listening at once, and is closed when its connections are.
    this.#refusing = new Promise((resolve) => server.close(() => resolve()))
  }

  /** New connections are accepted, on the same port as ever. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ allowHalfOpen: true }, (socket) => this.#connected(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(this.#port, this.host, resolve)
    })
    this.#port = (server.address() as AddressInfo).port
  }

  /** Ends everything; resolves when all sockets are closed. */
  async close(): Promise<void> {
    await this.refuse()
    const connections = this.connections
    this.killAll()
    await Promise.all(connections.map((connection) => connection.closed))
    await this.#refusing
  }

  [asyncDispose](): Promise<void> {
    return this.close()
  }

  #connected(socket: Socket): void {
    const connection = new FaultConnection(socket, this.#target, this.#faults)
    this.#connections.add(connection)
    this.#accepted++
    this.#mostOpen = Math.max(this.#mostOpen, this.#connections.size)
    void connection.closed.then(() => this.#connections.delete(connection))
    this.onConnection?.(connection)
  }
}

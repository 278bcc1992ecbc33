import type { FakeConnection } from '../fake-connection.ts'
import type { Law } from './law.ts'
import { Socket } from './socket.ts'

/** What the ledger needs to know of the run. */
export interface LedgerFacts {
  readonly law: Law
  now(): number
  /** Events so far: promises that settle in one step are not ordered against each other. */
  step(): number
}

/** What the pool was told, as far as it binds what it lends. */
export interface Orders {
  cap: number
  /** Infinity = no check by age. */
  validateAfterIdleMs: number
  maxLifetimeMs: number
  maxUses: number
  readonly canCheck: boolean
  /** What is seen of connections is enough to judge how long they have been idle. */
  readonly checksByAge: boolean
  readonly seesDirt: boolean
  /** A hook runs between the choice of a connection and the lease: what holds at the choice may have changed since. */
  readonly prepares: boolean
}

/** Who has which connection, and how many there are: the truth, kept apart from the pool's own accounts. */
export class Ledger {
  readonly orders: Orders
  readonly #facts: LedgerFacts
  readonly #sockets = new Map<FakeConnection, Socket>()
  readonly all: Socket[] = []
  /** Sockets that count against the cap. */
  counted = 0
  /** Sockets that are out with callers whom the ledger knows. */
  owned = 0
  generation = 0
  #generationStep = 0
  #suspectStep = -1
  #lostStep = -1
  #suspended: { step: number } | undefined = undefined
  /** The pool is closing. */
  closing = false
  detached = 0

  constructor(facts: LedgerFacts, orders: Orders) {
    this.#facts = facts
    this.orders = orders
  }

  // ---- connects and closes, as the driver sees them

  connecting(): Socket {
    const socket = new Socket(this.all.length + 1, this.generation)
    this.all.push(socket)
    this.counted++
    this.#demand(this.counted <= this.orders.cap, 'cap', () => `${this.counted} of ${this.orders.cap} open`)
    this.#demand(!this.closing, 'connect after close', () => `connection ${socket.id}`)
    return socket
  }

  connected(socket: Socket, connection: FakeConnection): void {
    socket.connection = connection
    this.#sockets.set(connection, socket)
  }

  /** The pool has it, `onConnect` included. */
  opened(socket: Socket): void {
    socket.opened = true
    socket.connectedAt = this.#facts.now()
    this.proven(socket)
  }

  /** The connect has failed, or the close has settled. */
  gone(socket: Socket): void {
    if (!socket.counts) return
    socket.counts = false
    if (!socket.writtenOff && !socket.detached) this.counted--
  }

  closingSocket(connection: FakeConnection): Socket {
    const socket = this.of(connection)
    socket.closes++
    this.#demand(socket.closes === 1, 'closed once', () => `connection ${socket.id} was closed twice`)
    this.#demand(!socket.detached, 'detached is forgotten', () => `connection ${socket.id} was closed`)
    const { owner } = socket
    if (owner !== undefined) {
      const excused = socket.lost || socket.destroyed || this.closing || socket.transactionOf !== undefined
      this.#demand(excused, 'closed under its holder', () => `connection ${socket.id}`)
      socket.owner = undefined
      this.owned--
    }
    return socket
  }

  /** The pool has given up waiting for this one to close. */
  writtenOff(id: number): void {
    const socket = this.all[id - 1]
    if (socket === undefined || socket.writtenOff) return
    socket.writtenOff = true
    if (socket.counts) this.counted--
  }

  of(connection: FakeConnection): Socket {
    const socket = this.#sockets.get(connection)
    if (socket === undefined) throw new Error('a connection that nobody has opened')
    return socket
  }

  // ---- what makes connections unfit

  alive(socket: Socket): void {
    socket.aliveAt = this.#facts.now()
  }

  /** Its session is as it was. */
  cleaned(socket: Socket): void {
    this.alive(socket)
    socket.transactionOf = undefined
  }

  proven(socket: Socket): void {
    this.alive(socket)
    socket.provenStep = this.#facts.step()
  }

  /** A connection has died without the pool's doing: the others may have, too. */
  died(socket: Socket): void {
    const known = socket.opened && socket.closes === 0 && !socket.detached
    socket.lost = true
    this.#lostStep = this.#facts.step()
    if (known) this.#suspectStep = this.#facts.step()
  }

  /** A death was told in this step. */
  get hasJustLost(): boolean {
    return this.#lostStep === this.#facts.step()
  }

  refreshed(): void {
    this.generation++
    this.#generationStep = this.#facts.step()
  }

  suspended(is: boolean): void {
    this.#suspended = is ? { step: this.#facts.step() } : undefined
  }

  // ---- leases

  /** A caller has been given a connection. */
  lent(connection: FakeConnection, caller: number, key: unknown): Socket {
    const socket = this.of(connection)
    const { owner } = socket
    if (owner !== undefined) {
      const joined = key !== undefined && owner.key === key
      this.#demand(joined, 'one owner', () => `connection ${socket.id}: ${owner.callers} and ${caller}`)
      owner.callers.push(caller)
      return socket
    }
    socket.owner = { key, callers: [caller] }
    socket.leases++
    this.owned++
    this.#judge(socket, connection)
    return socket
  }

  /** Called just before the caller gives it back. */
  givenBack(socket: Socket, caller: number): void {
    this.alive(socket)
    const { owner } = socket
    const at = owner?.callers.indexOf(caller) ?? -1
    if (owner === undefined || at === -1) return
    owner.callers.splice(at, 1)
    if (owner.callers.length > 0) return
    socket.owner = undefined
    this.owned--
  }

  detach(socket: Socket, caller: number): void {
    this.givenBack(socket, caller)
    socket.detached = true
    this.detached++
    this.counted--
  }

  /** May this one be lent? Asked for every lease: it allocates little. */
  #judge(socket: Socket, connection: FakeConnection): void {
    const { orders } = this
    const { id, generation, provenStep } = socket
    const step = this.#facts.step()
    const breaks = (rule: string, detail = '') => this.#facts.law.breaks(rule, `connection ${id}${detail}`)
    if (socket.closes > 0 || socket.detached) breaks('not lent after its end')
    if (socket.destroyed) breaks('not lent when destroyed')
    if (orders.seesDirt) {
      if (connection.session.transaction !== 'none') breaks('not lent dirty')
      if (connection.inFlight > 0) breaks('not lent busy')
    }
    if (connection.session.memory.has('tainted')) breaks('no session state carried over')
    if (socket.leases > orders.maxUses) breaks('maxUses')
    if (orders.prepares) return
    if (generation < this.generation && step > this.#generationStep) breaks('refresh')
    if (this.#suspended !== undefined && step > this.#suspended.step) breaks('suspend')
    const now = this.#facts.now()
    if (now - socket.connectedAt > orders.maxLifetimeMs + SLACK_MS) breaks('maxLifetimeMs')
    if (!orders.canCheck) return
    if (provenStep < this.#suspectStep && step > this.#suspectStep) breaks('suspects are checked')
    const idleMs = now - socket.aliveAt
    if (orders.checksByAge && idleMs > orders.validateAfterIdleMs + SLACK_MS)
      breaks('checked after idling', ` after ${idleMs} ms`)
  }

  #demand(holds: boolean, rule: string, detail: () => string): void {
    if (!holds) this.#facts.law.breaks(rule, detail())
  }
}

/** Sums of fractions of milliseconds are not exact. */
const SLACK_MS = 0.001

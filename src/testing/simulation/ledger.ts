import type { FakeConnection } from '../fake-connection.ts'
import { Fitness, type LedgerFacts, type Orders } from './fitness.ts'
import type { Leaks } from './leaks.ts'
import { Socket } from './socket.ts'

/** Who has which connection, and how many there are: the truth, kept apart from the pool's own accounts. */
export class Ledger {
  readonly orders: Orders
  readonly fitness: Fitness
  readonly #facts: LedgerFacts
  readonly #leaks: Leaks
  readonly #sockets = new Map<FakeConnection, Socket>()
  readonly all: Socket[] = []
  /** Connections of the pool's: neither on their way in nor on their way out. */
  readonly open = new Set<Socket>()
  #left = { step: -1, count: 0 }
  /** Sockets that count against the cap. */
  counted = 0
  /** Sockets that are out with callers whom the ledger knows. */
  owned = 0
  #lostStep = -1
  /** The pool is closing. */
  closing = false
  #closedStep = Number.POSITIVE_INFINITY
  detached = 0
  /** Leases that the pool has ended after a drain; with those among them whose connection had died. */
  readonly takenAway = { surely: 0, perhaps: 0 }

  constructor(facts: LedgerFacts, orders: Orders, leaks: Leaks) {
    this.#facts = facts
    this.orders = orders
    this.fitness = new Fitness(facts, orders)
    this.#leaks = leaks
  }

  // ---- connects and closes, as the driver sees them

  connecting(): Socket {
    const socket = new Socket(this.all.length + 1, this.fitness.generation, this.#facts.now())
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
    socket.openedStep = this.#facts.step()
    socket.connectedAt = this.#facts.now()
    socket.usedAt = socket.connectedAt
    if (socket.closes === 0) this.open.add(socket)
    this.proven(socket)
  }

  /** The pool is told to close. */
  close(): void {
    this.closing = true
    this.#closedStep = this.#facts.step()
  }

  /** It was told so before this step. */
  get wasClosed(): boolean {
    return this.#closedStep < this.#facts.step()
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
    this.#leave(socket)
    socket.closedAt = this.#facts.now()
    socket.closedEarly = socket.closedAt - socket.usedAt < this.orders.idleTimeoutMs - SLACK_MS
    this.#demand(socket.closes === 1, 'closed once', () => `connection ${socket.id} was closed twice`)
    this.#demand(!socket.detached, 'detached is forgotten', () => `connection ${socket.id} was closed`)
    const { owner } = socket
    if (owner !== undefined) {
      const excused = socket.lost || socket.destroyed || this.closing || socket.transactionOf !== undefined
      this.#demand(excused, 'closed under its holder', () => `connection ${socket.id}`)
      if (this.closing && !socket.destroyed) this.takenAway[socket.lost ? 'perhaps' : 'surely']++
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

  /** Something has been open since before this step. */
  get isOpen(): boolean {
    const step = this.#facts.step()
    for (const { openedStep } of this.open) if (openedStep < step) return true
    return false
  }

  /** How many were open at some time of this step. */
  get openLately(): number {
    const { step, count } = this.#left
    return this.open.size + (step === this.#facts.step() ? count : 0)
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

  /** Whoever had it has given it back. */
  used(socket: Socket): void {
    this.alive(socket)
    socket.usedAt = socket.aliveAt
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
  died(socket: Socket): boolean {
    const known = this.open.has(socket)
    socket.lost = true
    socket.diedStep = this.#facts.step()
    this.#lostStep = this.#facts.step()
    if (known) this.fitness.suspected()
    return known
  }

  /** A death was told in this step. */
  get hasJustLost(): boolean {
    return this.#lostStep === this.#facts.step()
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
    socket.lentAt = this.#facts.now()
    socket.leakTold = false
    this.owned++
    this.fitness.judge(socket, connection)
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
    this.#leaks.givenBack(socket)
    this.used(socket)
    socket.owner = undefined
    this.owned--
  }

  detach(socket: Socket, caller: number): void {
    this.givenBack(socket, caller)
    socket.detached = true
    this.#leave(socket)
    this.detached++
    this.counted--
  }

  #leave(socket: Socket): void {
    if (!this.open.delete(socket)) return
    const step = this.#facts.step()
    if (this.#left.step !== step) this.#left = { step, count: 0 }
    this.#left.count++
  }

  #demand(holds: boolean, rule: string, detail: () => string): void {
    if (!holds) this.#facts.law.breaks(rule, detail())
  }
}

/** Sums of fractions of milliseconds are not exact. */
const SLACK_MS = 0.001

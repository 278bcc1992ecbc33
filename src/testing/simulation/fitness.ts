import type { FakeConnection } from '../fake-connection.ts'
import type { Law } from './law.ts'
import type { Socket } from './socket.ts'

/** What those who watch need to know of the run. */
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
  idleTimeoutMs: number
  readonly connectTimeoutMs: number
  maxUses: number
  readonly canCheck: boolean
  /** What is seen of connections is enough to judge how long they have been idle. */
  readonly checksByAge: boolean
  readonly seesDirt: boolean
  /** A hook runs between the choice of a connection and the lease: what holds at the choice may have changed since. */
  readonly prepares: boolean
  readonly hooks: { readonly onConnect: boolean; readonly onRelease: boolean }
  /** Everybody who uses a connection is seen to give it back. */
  readonly seesUse: boolean
}

/** Which connections may be lent: what the pool's user and the world have done that speaks against them. */
export class Fitness {
  readonly #facts: LedgerFacts
  readonly #orders: Orders
  generation = 0
  #generationStep = 0
  #suspectStep = -1
  #sleptStep = -1
  #staleAt = Number.NEGATIVE_INFINITY
  #suspended: { step: number } | undefined = undefined

  constructor(facts: LedgerFacts, orders: Orders) {
    this.#facts = facts
    this.#orders = orders
  }

  refreshed(): void {
    this.generation++
    this.#generationStep = this.#facts.step()
  }

  suspended(is: boolean): void {
    this.#suspended = is ? { step: this.#facts.step() } : undefined
  }

  /** Whatever was proven until now must be proven again. */
  suspected(): void {
    this.#suspectStep = this.#facts.step()
  }

  /** The server behind this connection says that it was demoted: it speaks for all, but the pool listens once a second. */
  stale(socket: Socket): void {
    const now = this.#facts.now()
    if (socket.generation < this.generation || now - this.#staleAt < STALE_EVERY_MS) return
    this.#staleAt = now
    this.refreshed()
  }

  /** The machine was away for long: what was idle then must be proven again. */
  slept(): void {
    this.#sleptStep = this.#facts.step()
  }

  /** May this one be lent? Asked for every lease: it allocates little. */
  judge(socket: Socket, connection: FakeConnection): void {
    const orders = this.#orders
    const { id, provenStep } = socket
    const step = this.#facts.step()
    const breaks = (rule: string, detail = '') => this.#facts.law.breaks(rule, `connection ${id}${detail}`)
    const { prepared, released } = socket
    socket.prepared = false
    socket.released = false
    if (socket.closes > 0 || socket.detached) breaks('not lent after its end')
    if (socket.destroyed) breaks('not lent when destroyed')
    if (socket.diedStep < step) breaks('not lent when dead')
    if (connection.pipelining) breaks('not lent in pipeline mode')
    if (orders.seesDirt) {
      if (connection.session.transaction !== 'none') breaks('not lent dirty')
      if (connection.inFlight > 0) breaks('not lent busy')
    }
    if (connection.session.memory.has('tainted')) breaks('no session state carried over')
    if (socket.leases > orders.maxUses) breaks('maxUses')
    if (orders.hooks.onRelease && socket.leases > 1 && !released) breaks('onRelease runs')
    if (socket.bare) breaks('onConnect runs after a full reset')
    if (orders.prepares) {
      if (!prepared) breaks('onAcquire runs')
      return
    }
    const rule = this.unfit(socket)
    if (rule !== undefined) breaks(rule)
    if (!orders.canCheck) return
    if (provenStep < this.#suspectStep && step > this.#suspectStep) breaks('suspects are checked')
    const idleMs = this.#facts.now() - socket.aliveAt
    if (provenStep < this.#sleptStep && idleMs > AWAKE_MS) breaks('whoever has slept is checked')
    if (orders.checksByAge && idleMs > orders.validateAfterIdleMs + SLACK_MS)
      breaks('checked after idling', ` after ${idleMs} ms`)
  }

  /** The order of the pool's user that it goes against to choose this connection now. */
  unfit({ generation, connectedAt }: Socket): string | undefined {
    if (this.#orders.prepares) return undefined
    const step = this.#facts.step()
    if (generation < this.generation && step > this.#generationStep) return 'refresh'
    if (this.#suspended !== undefined && step > this.#suspended.step) return 'suspend'
    const ageMs = this.#facts.now() - connectedAt
    return ageMs > this.#orders.maxLifetimeMs + SLACK_MS ? 'maxLifetimeMs' : undefined
  }
}

/** Sums of fractions of milliseconds are not exact. */
const SLACK_MS = 0.001
const STALE_EVERY_MS = 1_000
/** What goes from hand to hand, its reset included, was never idle. */
const AWAKE_MS = 1_100

import type { Timer } from '../contract/clock.ts'
import type { QueryResult } from '../contract/sql-driver.ts'
import { type FakeAnswer, type FakeStatement, toResult } from './fake-answers.ts'
import { fakeErrors } from './fake-error.ts'
import type { Behaviour, FakeOperation } from './fake-script.ts'
import { FakeSession } from './fake-session.ts'
import type { Latency } from './latency.ts'

/** What a connection needs of the server at its other end. */
export interface FakeHost {
  /** A failed statement fails the transaction that it is part of. */
  readonly abortsTransactions: boolean
  now(): number
  /** How this call is to go; it is written into the log. */
  call(operation: FakeOperation, connection: number, sql: string): Behaviour
  /** Milliseconds; `undefined` = the server's usual latency. */
  draw(latency: Latency | undefined): number
  /** Brings something from the server: later, should it be frozen then. */
  deliver(ms: number, run: () => void): Timer
  reply(statement: FakeStatement): FakeAnswer
}

export interface SendOptions {
  operation?: FakeOperation
  params?: readonly unknown[]
  name?: string
  /** It shares an error boundary with others of its name that are sent at the same time. */
  together?: boolean
  /** The statement stays at the head of the queue until `leave`: a stream. */
  stays?: boolean
}

/** Statements of one name that were sent together: once one has failed, the server skips those that are left. */
interface Flight {
  readonly name: string
  readonly sentAt: number
  failed: boolean
}

/** A statement under way. */
export interface Sent extends FakeStatement {
  readonly operation: FakeOperation
  readonly name: string | undefined
  readonly flight: Flight | undefined
  stays: boolean
  /** When it left the client. */
  sentAt: number
  /** When the server has finished with it: until then it can be cancelled. Undefined while it has not begun. */
  endsAt: number | undefined
  /** Where to undo to when it does not count. */
  mark: number
  timer: Timer | undefined
  error: unknown
  resolve: (answer: FakeAnswer) => void
  reject: (error: unknown) => void
}

/** A client's end of a connection to a fake server; also what `lease.connection` is. */
export class FakeConnection {
  readonly session: FakeSession
  /** The names that the client believes to be prepared. */
  readonly prepared = new Set<string>()
  /** Statements are sent without waiting for the answers to those before. */
  pipelining = false
  /** What the last answer said: a transaction is open. */
  inTransaction = false
  /** It keeps the process alive. */
  referenced = true
  /** The client has closed it. */
  closed = false
  /** Told when the connection has died. */
  onLost: ((error: unknown) => void) | undefined
  /** The other end is gone and nobody was told: what is sent gets no answer, or a reset. */
  vanished: 'silence' | 'reset' | undefined
  /** The server has ended it; the news is on its way. */
  killed = false
  readonly #host: FakeHost
  readonly #queue: Sent[] = []
  #flight: Flight | undefined
  #ended: unknown

  constructor(host: FakeHost, id: number) {
    this.#host = host
    this.session = new FakeSession(id)
  }

  get id(): number {
    return this.session.id
  }

  get inFlight(): number {
    return this.#queue.length
  }

  /** False from the moment when the client has closed it, or knows that it died. */
  get usable(): boolean {
    return this.#ended === undefined
  }

  /** Runs a statement past the pool, as with a driver's own client. */
  async query(sql: string, params: readonly unknown[] = []): Promise<QueryResult> {
    return toResult(await this.send(sql, { params }))
  }

  /** Sends something; answers come in the order of sending. */
  send(sql: string, options: SendOptions = {}): Promise<FakeAnswer> {
    return new Promise((resolve, reject) => this.enqueue(sql, options, { resolve, reject }))
  }

  enqueue(sql: string, options: SendOptions, { resolve, reject }: Pick<Sent, 'resolve' | 'reject'>): Sent {
    const sent: Sent = {
      sql,
      params: options.params ?? [],
      session: this.session,
      operation: options.operation ?? 'query',
      name: options.name,
      flight: this.pipelining && options.together ? this.#flightOf(options.name ?? '') : undefined,
      stays: options.stays ?? false,
      sentAt: this.#host.now(),
      endsAt: undefined,
      mark: 0,
      timer: undefined,
      error: undefined,
      resolve,
      reject,
    }
    if (this.#ended !== undefined) {
      sent.error = this.#ended
      reject(this.#ended)
      return sent
    }
    this.#queue.push(sent)
    if (this.#queue.length === 1) this.#begin(sent)
    return sent
  }

  #flightOf(name: string): Flight {
    const sentAt = this.#host.now()
    if (this.#flight?.name !== name || this.#flight.sentAt !== sentAt || this.#flight.failed)
      this.#flight = { name, sentAt, failed: false }
    return this.#flight
  }

  /** One round trip more for a statement that stays. */
  ask(sent: Sent): Promise<void> {
    return new Promise((resolve, reject) => {
      if (sent.error !== undefined) return reject(sent.error)
      sent.resolve = () => resolve()
      sent.reject = reject
      this.#endLater(sent, this.#host.draw(undefined), {})
    })
  }

  /** Ends a statement that stays. */
  leave(sent: Sent): void {
    if (!sent.stays) return
    sent.stays = false
    this.#next()
  }

  /** A request to cancel has reached the server, and hits whatever runs here now: its text, if there is anything. */
  interrupt(): string | undefined {
    if (this.vanished !== undefined) return undefined
    const [head, second] = this.#queue
    if (head?.endsAt !== undefined && this.#host.now() < head.endsAt) {
      head.timer?.cancel()
      head.endsAt = this.#host.now()
      this.#endLater(head, this.#host.draw(undefined) / 2, { error: fakeErrors.canceled() })
      return head.sql
    }
    // The head's answer is on its way: the server is already at what follows in the pipeline.
    if (second === undefined || !this.pipelining) return undefined
    second.error = fakeErrors.canceled()
    return second.sql
  }

  /** The client closes it, or learns that it died. */
  end(error: unknown, { lost }: { lost: boolean }): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    for (const sent of this.#queue.splice(0)) {
      sent.timer?.cancel()
      sent.stays = false
      sent.error = error
      sent.reject(error)
    }
    if (lost) this.onLost?.(error)
  }

  #begin(sent: Sent): void {
    const host = this.#host
    const behaviour = host.call(sent.operation, this.session.id, sent.sql)
    sent.mark = this.session.mark()
    sent.endsAt = Number.POSITIVE_INFINITY
    if (behaviour.never || this.killed || this.vanished === 'silence') return
    const latency = host.draw(behaviour.latencyMs)
    if (this.vanished === 'reset') {
      host.deliver(latency, () => this.end(fakeErrors.reset(), { lost: true }))
      return
    }
    const answer = this.#answer(sent, behaviour)
    const works = answer.takesMs === undefined ? 0 : host.draw(answer.takesMs)
    const travelled = this.pipelining ? host.now() - sent.sentAt : 0
    const wait = Math.max(0, latency - travelled) + works
    if (!sent.stays) sent.endsAt = host.now() + Math.max(0, wait - latency / 2)
    this.#endLater(sent, wait, answer)
  }

  #answer(sent: Sent, { error, says }: Behaviour): FakeAnswer {
    if (sent.error !== undefined) return { error: sent.error }
    if (sent.flight?.failed) return { error: fakeErrors.undone() }
    if (error !== undefined) return { error }
    if (says !== undefined) return { says }
    if (sent.operation === 'confirmStale') return { says: this.session.standby }
    if (sent.name !== undefined && !this.#prepare(sent.name))
      return { error: fakeErrors.notPrepared(sent.name) }
    return sent.sql === '' ? {} : this.#host.reply(sent)
  }

  /** False when the server has lost a statement that the client has prepared. */
  #prepare(name: string): boolean {
    if (this.prepared.has(name)) return this.session.prepared.has(name)
    this.prepared.add(name)
    this.session.prepared.add(name)
    return true
  }

  #endLater(sent: Sent, ms: number, answer: FakeAnswer): void {
    sent.timer = this.#host.deliver(ms, () => {
      // What a frozen server held back may come for a statement that has long been given up.
      if (this.killed || this.vanished === 'silence' || sent !== this.#queue[0]) return
      if (answer.error !== undefined) {
        this.#fail(sent, answer.error)
      } else {
        if (!sent.stays) this.#next()
        sent.resolve(answer)
      }
    })
  }

  #fail(sent: Sent, error: unknown): void {
    this.session.undoTo(sent.mark)
    if (this.#host.abortsTransactions && (sent.operation === 'query' || sent.operation === 'stream'))
      this.session.fail()
    if (sent.flight !== undefined) sent.flight.failed = true
    sent.stays = false
    sent.error = error
    this.#next()
    sent.reject(error)
  }

  #next(): void {
    this.#queue.shift()
    this.session.settle()
    this.inTransaction = this.session.transaction !== 'none'
    const head = this.#queue[0]
    if (head === undefined) return
    // Without pipelining the client sends a statement only now.
    if (!this.pipelining) head.sentAt = this.#host.now()
    this.#begin(head)
  }
}

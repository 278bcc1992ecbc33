import type { Row } from '../../contract/sql-driver.ts'
import { Ending } from '../ending.ts'
import { Links } from '../links.ts'
import { rolledBack } from '../rolled-back.ts'
import { cannotBegin, INTERRUPTED, numberOf } from './errors.ts'
import type { Speaker } from './speaker.ts'
import type { Wire } from './wire.ts'

export const links = new Links<Link>()
export const linkOf = links.of

/** The session as it was after connecting; members are missing where the server would not tell. */
export interface Beginning {
  /** The server itself, however it was reached. */
  readonly server?: string
  readonly charset?: string
  readonly collation?: string
  /** The packages ask for modes of their own at login. */
  readonly sqlMode?: string
  readonly database?: string | null
}

const BEGINNING =
  'select @@hostname as h, @@port as p, @@server_id as i, @@character_set_client as c, @@collation_connection as o, @@sql_mode as m, database() as d'

/** Back to a savepoint is back within the transaction. */
const ENDS_TRANSACTION = /^\s*rollback\b(?!\s+(?:work\s+)?to\b)/i

/** Listens to one connection until its socket is closed. */
export class Link extends Ending {
  readonly speaker: Speaker
  readonly wire: Wire
  beginning: Beginning = {}
  /** Several statements may be in flight. */
  isShared = false
  #hasBegun = false
  #isGivenUp = false
  readonly #atEnd = new Set<(error: unknown) => void>()
  readonly #cancels = new Set<Promise<void>>()
  #cancelFailure: { error: unknown } | undefined

  constructor(connection: object, speaker: Speaker, wire: Wire) {
    super()
    this.speaker = speaker
    this.wire = wire
    links.add(connection, this)
    speaker.onError((error) => this.#finish(error))
    // The packages learn of it when the socket is closed; what was sent until then would be lost.
    speaker.stream.on('end', () => {
      if (!this.isBusy) this.#finish(new Error('the server closed the connection'))
    })
    void wire.closed.then(() => this.#finish(new Error('the connection was closed')))
  }

  /** Asks what the session is like. Something that only speaks like MySQL may not know these variables. */
  async begin(database: unknown): Promise<void> {
    try {
      const [row = {}] = await this.speaker.ask(BEGINNING)
      this.beginning = {
        server: [row.h, row.p, row.i].join('/'),
        charset: String(row.c),
        collation: String(row.o),
        sqlMode: String(row.m),
        database: typeof row.d === 'string' ? row.d : null,
      }
    } catch (error) {
      if (this.isOver) throw error
      this.beginning = typeof database === 'string' ? { database } : {}
    }
  }

  get isOver(): boolean {
    return this.isLost || this.wire.isClosed
  }

  /** It does not answer a question that costs nothing: a goodbye would be waited for in vain. */
  giveUp(): void {
    this.#isGivenUp = true
    this.destroy()
  }

  get isGivenUp(): boolean {
    return this.#isGivenUp
  }

  /** With an error: the mariadb package does not notice that a socket is closed, and would leave its statements waiting. */
  destroy(): void {
    this.speaker.stream.destroy(new Error('the connection was given up'))
    this.wire.destroy()
  }

  /** Tells when the connection ends, for whatever reason; returns how to be told no longer. */
  onEnd(told: (error: unknown) => void): () => void {
    if (this.isLost) told(this.reason)
    else this.#atEnd.add(told)
    return () => this.#atEnd.delete(told)
  }

  /** Whether a transaction is open that somebody has begun; asks the server where its last answer does not tell. */
  async isInTransaction(): Promise<boolean> {
    await this.speaker.ping()
    return this.speaker.answers.isBegun
  }

  get isBusy(): boolean {
    return this.#cancels.size > 0 || this.speaker.isBusy
  }

  /** Resolves when nothing is in flight: answers come in order, so that of a ping is the last one. */
  async quiet(): Promise<void> {
    while (this.isBusy) {
      if (this.#cancels.size > 0) await Promise.allSettled(this.#cancels)
      if (this.#cancelFailure !== undefined) throw this.#cancelFailure.error
      if (this.speaker.isBusy) await this.speaker.ping()
    }
  }

  /** A cancel is under way; one that does not come to a known end spoils the connection for good. */
  async cancelling(request: Promise<void>): Promise<void> {
    this.#cancels.add(request)
    try {
      await request
    } catch (error) {
      this.#cancelFailure = { error }
      throw error
    } finally {
      this.#cancels.delete(request)
    }
  }

  /** Runs a statement of the user's and keeps in mind what its error means for the transaction. */
  async run<T>(sql: string, send: () => Promise<T>): Promise<T> {
    const { answers } = this.speaker
    if (ENDS_TRANSACTION.test(sql)) this.hasBegun = false
    this.assertWhole()
    try {
      return await send()
    } catch (error) {
      if (cannotBegin(sql)) answers.forgive()
      // The server may have stopped more than the statement; of that it says nothing.
      if (numberOf(error) === INTERRUPTED && !this.isBusy) await this.speaker.ping()
      throw error
    }
  }

  /** A statement of our own. */
  ask(sql: string): Promise<Row[]> {
    return this.speaker.ask(sql)
  }

  /** A transaction of ours has begun, or it is over for us. */
  set hasBegun(hasBegun: boolean) {
    this.#hasBegun = hasBegun
    this.speaker.answers.endedBy = undefined
  }

  /**
   * The server ends a transaction by itself when it finds a deadlock. Whatever came next would be committed at once, one
   * by one, and COMMIT would succeed: nothing more runs until the transaction is over for us as well.
   */
  get isEnded(): boolean {
    return this.#hasBegun && this.speaker.answers.endedBy !== undefined
  }

  assertWhole(): void {
    if (!this.isEnded) return
    throw rolledBack(this.speaker.answers.endedBy)
  }

  ref(): void {
    this.speaker.stream.ref?.()
    this.wire.stream.ref?.()
  }

  unref(): void {
    this.speaker.stream.unref?.()
    this.wire.stream.unref?.()
  }

  #finish(error: unknown): void {
    for (const told of this.#atEnd) told(error)
    this.#atEnd.clear()
    this.endedBy(error)
  }
}

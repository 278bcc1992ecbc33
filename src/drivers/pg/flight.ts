import type { QueryResult, RowForm } from '../../contract/sql-driver.ts'
import { Answer } from './answer.ts'
import type { PgClient, Submittable } from './client.ts'
import type { Description } from './description.ts'
import { endsOnlyStatement, isConflict } from './errors.ts'
import type { Question } from './exchange.ts'
import { linkOf } from './link.ts'
import type { Boarding } from './outbox.ts'
import { MOST_VALUES, type Packet } from './packet.ts'
import { perQueryClass } from './query-class.ts'

/**
 * The server writes to the socket at each Sync, which costs it more than a short statement. Fewer, and the next flight is
 * not there yet when it is done with this one.
 */
const MOST_MEMBERS = 16
/** More may go in pieces, and until the rest is there the server would keep the locks of those that it has executed. */
const MOST_BYTES = 16_384

/** What happened to a statement for no fault of its own: nothing, and it may be run again. */
const UNDONE = new Error('another statement of the same flight failed')

export function isUndone(error: unknown): boolean {
  return error === UNDONE
}

const watched = new WeakMap<object, boolean>()

/** Somebody, such as a tracer, has put himself before pg's own `query` to see every statement. */
function isWatched({ query }: PgClient): boolean {
  let is = watched.get(query)
  if (is === undefined) {
    is = !Function.prototype.toString.call(query).includes('_queryQueue')
    watched.set(query, is)
  }
  return is
}

/** One execution, and who waits for it. */
interface Member {
  readonly answer: Answer
  readonly resolve: (result: QueryResult) => void
  readonly reject: (error: unknown) => void
  outcome: { readonly result: QueryResult } | { readonly failure: Error } | undefined
}

/**
 * Executes a prepared statement together with others of its name that are sent at the same time: one behind the other,
 * with one Sync behind them all. They share an error boundary and a transaction, so that none has its answer before the
 * server has said that all is well; when one fails, the others are `isUndone`. Returns undefined where the answer's columns
 * are not known yet.
 */
export function fly(client: PgClient, question: Question): Promise<QueryResult> | undefined {
  const { text, values, name, form } = question
  const { connection, connectionParameters } = client
  // pg's own time limit is one of a query, and would be the first member's.
  if (name === undefined || values.length > MOST_VALUES || connectionParameters?.query_timeout)
    return undefined
  if (isWatched(client)) return undefined
  const link = linkOf(client)
  const boarding = link.outbox.boarding(name)
  if (boarding !== undefined) return boarding.add(values, form)
  const description = link.descriptionOf(name)
  if (description === undefined || connection.parsedStatements[name] !== text) return undefined
  const FlightClass = flightClassOf(client)
  const flight = new FlightClass(client, question, description)
  const answer = flight.add(values, form)
  client.query(flight)
  return answer
}

type FlightClass = new (
  client: PgClient,
  question: Question,
  description: Description,
) => Boarding & Pick<Submittable, 'submit'>

const flightClassOf = perQueryClass(makeFlightClass)

function makeFlightClass(): FlightClass {
  return class PgFlight implements Boarding {
    // Those with plain names are read by pg, and by what watches its statements.
    readonly text: string
    readonly values: readonly unknown[]
    readonly name: string
    readonly packet: Packet
    callback = (): void => undefined
    readonly #client: PgClient
    readonly #description: Description
    readonly #members: Member[] = []
    /** Of all members that want their rows as the client reads them. */
    #answer: Answer | undefined = undefined
    #answered = 0

    constructor(client: PgClient, { text, values, name = '' }: Question, description: Description) {
      this.text = text
      this.values = values
      this.name = name
      this.packet = linkOf(client).outbox.freshPacket()
      this.#client = client
      this.#description = description
    }

    get isFull(): boolean {
      return this.#members.length >= MOST_MEMBERS || this.packet.length >= MOST_BYTES
    }

    add(values: readonly unknown[], form: RowForm | undefined): Promise<QueryResult> {
      const answer = form === undefined ? this.#usual : this.#answerIn(form)
      this.#write(values)
      return new Promise((resolve, reject) => {
        this.#members.push({ answer, resolve, reject, outcome: undefined })
      })
    }

    #write(values: readonly unknown[]): void {
      const { packet, name } = this
      const { length } = packet
      try {
        packet.bind(name, values, this.#client.binary === true).execute()
      } catch (error) {
        // Longer than a message can be.
        packet.cutTo(length)
        throw error
      }
    }

    get #usual(): Answer {
      this.#answer ??= this.#answerIn(undefined)
      return this.#answer
    }

    #answerIn(form: RowForm | undefined): Answer {
      const answer = new Answer(this.#client, form)
      answer.describe(this.#description)
      return answer
    }

    submit(): null {
      const { outbox } = linkOf(this.#client)
      outbox.board(this)
      outbox.filled()
      return null
    }

    handleDataRow({ fields: values }: { fields: readonly (string | null)[] }): void {
      this.#members[this.#answered]?.answer.row(values)
    }

    handleCommandComplete({ text }: { text: string }): void {
      const member = this.#members[this.#answered++]
      if (member === undefined) return
      const { answer } = member
      answer.complete(text)
      const { failure } = answer
      member.outcome = failure === undefined ? { result: answer.result } : { failure }
      answer.forgetRows()
    }

    handleReadyForQuery(): void {
      for (const { outcome, resolve, reject } of this.#members) {
        if (outcome === undefined) reject(UNDONE)
        else if ('failure' in outcome) reject(outcome.failure)
        else resolve(outcome.result)
      }
    }

    handleError(error: Error): void {
      const isOfOne = endsOnlyStatement(error)
      const failed = this.#members[this.#answered]
      for (const member of this.#members) {
        // Together they hold more locks than each of them would alone.
        const isUndone = isOfOne && (member !== failed || isConflict(error))
        member.reject(isUndone ? UNDONE : error)
      }
    }
  }
}

import type { QueryResult, RowForm } from '../../contract/sql-driver.ts'
import { Answer } from './answer.ts'
import type { PgClient, PgConnection, PgField, Submittable } from './client.ts'
import { describe } from './description.ts'
import { linkOf } from './link.ts'
import type { Packet } from './packet.ts'
import { perQueryClass } from './query-class.ts'

/** What is asked of the server. */
export interface Question {
  readonly text: string
  /** As pg writes them. */
  readonly values: readonly unknown[]
  readonly name: string | undefined
  /** Sent before the statement, in the same flight. */
  readonly begin?: string
  /** How its rows are read; undefined = as the client reads them. */
  readonly form?: RowForm | undefined
}

interface Exchange extends Pick<Submittable, 'submit'> {
  callback: (error: Error | null | undefined, result?: QueryResult) => void
}

/**
 * One statement and its answer; of several in one text the last one's. pg calls it as the server's messages arrive, as it
 * calls its own `Query`, which makes anew for each statement much of what can be kept.
 */
export function exchange(client: PgClient, question: Question): Promise<QueryResult> {
  const ExchangeClass = exchangeClassOf(client)
  return new Promise<QueryResult>((resolve, reject) => {
    const one = new ExchangeClass(client, question)
    one.callback = (error, result) => (error ? reject(error) : resolve(result as QueryResult))
    client.query(one)
  })
}

type ExchangeClass = new (client: PgClient, question: Question) => Exchange

const exchangeClassOf = perQueryClass(makeExchangeClass)

function makeExchangeClass(): ExchangeClass {
  return class PgExchange implements Exchange {
    // Those with plain names are read by pg, and by what watches its statements.
    readonly text: string
    readonly values: readonly unknown[]
    readonly name: string | undefined
    callback: Exchange['callback'] = () => undefined
    binary = false
    readonly #client: PgClient
    readonly #begin: string | undefined
    readonly #answer: Answer
    #hasBegun: boolean
    /** The description is that of an earlier execution: it was not asked for. */
    #isKnown = false

    constructor(client: PgClient, { text, values, name, begin, form }: Question) {
      this.text = text
      this.values = values
      this.name = name
      this.#client = client
      this.#begin = begin
      this.#hasBegun = begin === undefined
      this.#answer = new Answer(client, form)
    }

    submit(connection: PgConnection): Error | null {
      const { name, text } = this
      const knownText = name === undefined ? undefined : textUnder(name, connection)
      if (knownText !== undefined && knownText !== text)
        return new Error(`the name "${name}" stands for another statement on this connection`)
      const { outbox } = linkOf(this.#client)
      const { packet } = outbox
      const { length } = packet
      try {
        this.#write(packet, knownText !== undefined)
      } catch (error) {
        packet.cutTo(length)
        return error as Error
      }
      outbox.filled()
      if (name !== undefined && knownText === undefined && connection.submittedNamedStatements !== undefined)
        connection.submittedNamedStatements[name] = text
      return null
    }

    #write(packet: Packet, isParsed: boolean): void {
      const { name = '', text, values } = this
      // A text alone goes by the simple protocol.
      if (name === '' && values.length === 0 && this.#begin === undefined) {
        packet.query(text)
        return
      }
      if (this.#begin !== undefined) packet.parse('', this.#begin).bind('', [], false).execute()
      if (!isParsed) packet.parse(name, text)
      packet.bind(name, values, this.binary)
      const known = name === '' ? undefined : linkOf(this.#client).descriptionOf(name)
      this.#isKnown = known !== undefined
      if (known === undefined) packet.describe()
      else this.#answer.describe(known)
      packet.execute().sync()
    }

    handleRowDescription({ fields }: { fields: readonly PgField[] }): void {
      this.#answer.forget()
      this.#answer.describe(describe(fields))
    }

    handleDataRow({ fields: values }: { fields: readonly (string | null)[] }): void {
      this.#answer.row(values)
    }

    handleCommandComplete({ text }: { text: string }): void {
      if (!this.#hasBegun) {
        this.#hasBegun = true
        return
      }
      if (this.#answer.isComplete) this.#answer.forget()
      this.#answer.complete(text)
    }

    handleReadyForQuery(): void {
      const { failure, description, result } = this.#answer
      if (failure !== undefined) {
        this.handleError(failure)
        return
      }
      const { name } = this
      if (name !== undefined && !this.#isKnown) linkOf(this.#client).remember(name, description)
      this.callback(null, result)
    }

    handleError(error: Error): void {
      this.callback(this.#answer.failure ?? error)
    }
  }
}

/** The statement that the server has under this name, or is being told of. */
function textUnder(
  name: string,
  { parsedStatements, submittedNamedStatements }: PgConnection,
): string | undefined {
  return parsedStatements[name] ?? submittedNamedStatements?.[name]
}

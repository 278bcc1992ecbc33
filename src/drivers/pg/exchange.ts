import type { QueryResult, Row, RowForm } from '../../contract/sql-driver.ts'
import type { PgClient, PgConnection, PgField, PgQueryClass, Submittable } from './client.ts'
import { type Description, describe, NO_COLUMNS } from './description.ts'
import { linkOf } from './link.ts'
import type { Packet } from './packet.ts'

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
export function exchange(
  client: PgClient,
  question: Question,
  failed: (error: unknown) => Promise<never>,
): Promise<QueryResult> {
  const ExchangeClass = exchangeClassOf(client)
  const answer = new Promise<QueryResult>((resolve, reject) => {
    const one = new ExchangeClass(client, question)
    one.callback = (error, result) => (error ? reject(error) : resolve(result as QueryResult))
    client.query(one)
  })
  return answer.catch((error) => {
    // As pg does: the stack leads to whoever waits for the answer, not to the socket.
    if (error instanceof Error) Error.captureStackTrace(error)
    return failed(error)
  })
}

type ExchangeClass = new (client: PgClient, question: Question) => Exchange

const classes = new WeakMap<PgQueryClass, ExchangeClass>()

/** For each copy of pg: its client takes in pipeline mode only what is a query of its own. */
function exchangeClassOf(client: PgClient): ExchangeClass {
  const { Query } = client.constructor as unknown as { Query: PgQueryClass }
  const known = classes.get(Query)
  if (known !== undefined) return known
  const made = makeExchangeClass()
  // Without running its constructor, which would make an emitter, and a result of pg's own.
  Object.setPrototypeOf(made.prototype, Query.prototype)
  classes.set(Query, made)
  return made
}

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
    readonly #form: RowForm | undefined
    #hasBegun: boolean
    #description: Description = NO_COLUMNS
    /** The description is that of an earlier execution: it was not asked for. */
    #isKnown = false
    #parsers: ((value: string) => unknown)[] = []
    #rows: Row[] = []
    #tag: string | undefined
    /** A parser of the user's has thrown. */
    #failure: Error | undefined

    constructor(client: PgClient, { text, values, name, begin, form }: Question) {
      this.text = text
      this.values = values
      this.name = name
      this.#client = client
      this.#begin = begin
      this.#form = form
      this.#hasBegun = begin === undefined
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
      else this.#take(known)
      packet.execute().sync()
    }

    #take(description: Description): void {
      this.#description = description
      const { fields } = description
      const types = this.#form?.types ?? this.#client
      // Each time: the user may have changed them.
      for (let i = 0; i < fields.length; i++) {
        const { dataTypeID, format } = fields[i] as PgField
        this.#parsers[i] = types.getTypeParser(dataTypeID, format || 'text', this.#client)
      }
    }

    handleRowDescription({ fields }: { fields: readonly PgField[] }): void {
      this.#startAnew()
      this.#take(describe(fields))
    }

    #startAnew(): void {
      this.#tag = undefined
      this.#description = NO_COLUMNS
      this.#rows = []
    }

    handleDataRow({ fields: values }: { fields: readonly (string | null)[] }): void {
      if (this.#failure !== undefined) return
      try {
        this.#rows.push(this.#read(values))
      } catch (error) {
        this.#failure = error as Error
      }
    }

    #read(values: readonly (string | null)[]): Row {
      if (this.#form?.rowMode === 'array')
        return values.map((value, i) => this.#parse(value, i)) as unknown as Row
      const { fields, blank } = this.#description
      const row = { ...blank }
      // Of two columns of one name the last one counts, NULL or not.
      for (let i = 0; i < values.length; i++)
        row[(fields[i] as PgField).name] = this.#parse(values[i] as string | null, i)
      return row
    }

    #parse(value: string | null, i: number): unknown {
      if (value === null) return null
      const parse = this.#parsers[i] as (value: unknown) => unknown
      const { format } = this.#description.fields[i] as PgField
      return parse(format === 'binary' ? Buffer.from(value) : value)
    }

    handleCommandComplete({ text }: { text: string }): void {
      if (!this.#hasBegun) {
        this.#hasBegun = true
        return
      }
      if (this.#tag !== undefined) this.#startAnew()
      this.#tag = text
    }

    handleReadyForQuery(): void {
      if (this.#failure !== undefined) {
        this.handleError(this.#failure)
        return
      }
      const { name } = this
      if (name !== undefined && !this.#isKnown) linkOf(this.#client).remember(name, this.#description)
      const { command, rowCount } = readTag(this.#tag)
      this.callback(null, { rows: this.#rows, rowCount, fields: [...this.#description.fields], command })
    }

    handleError(error: Error): void {
      this.callback(this.#failure ?? error)
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

const TAG = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/

/** What was done, and to how many rows: `SELECT 2`, `INSERT 0 1`, `BEGIN`. Where nothing was asked, nothing was done. */
function readTag(tag: string | undefined): { command: string | undefined; rowCount: number } {
  if (tag === 'SELECT 1') return { command: 'SELECT', rowCount: 1 }
  const [, command, first, second] = TAG.exec(tag ?? '') ?? []
  return { command, rowCount: Number(second ?? first ?? 0) }
}

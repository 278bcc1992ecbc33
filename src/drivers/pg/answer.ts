import type { QueryResult, Row, RowForm } from '../../contract/sql-driver.ts'
import type { PgClient, PgField } from './client.ts'
import { type Description, NO_COLUMNS } from './description.ts'

/** What the server says to one statement, as it comes in. */
export class Answer {
  readonly #client: PgClient
  readonly #form: RowForm | undefined
  #description: Description = NO_COLUMNS
  #parsers: ((value: string) => unknown)[] = []
  #rows: Row[] = []
  #tag: string | undefined = undefined
  /** A parser of the user's has thrown. */
  #failure: Error | undefined = undefined

  /** @param form how rows are read; undefined = as the client reads them */
  constructor(client: PgClient, form: RowForm | undefined) {
    this.#client = client
    this.#form = form
  }

  get description(): Description {
    return this.#description
  }

  get failure(): Error | undefined {
    return this.#failure
  }

  /** There is a result already: the statement that is answered now is another one. */
  get isComplete(): boolean {
    return this.#tag !== undefined
  }

  describe(description: Description): void {
    this.#description = description
    const { fields } = description
    const types = this.#form?.types ?? this.#client
    // Each time: the user may have changed them.
    for (let i = 0; i < fields.length; i++) {
      const { dataTypeID, format } = fields[i] as PgField
      this.#parsers[i] = types.getTypeParser(dataTypeID, format || 'text', this.#client)
    }
  }

  row(values: readonly (string | null)[]): void {
    if (this.#failure !== undefined) return
    try {
      this.#rows.push(this.#read(values))
    } catch (error) {
      this.#failure = error as Error
    }
  }

  complete(tag: string): void {
    this.#tag = tag
  }

  get result(): QueryResult {
    const { command, rowCount } = readTag(this.#tag)
    return { rows: this.#rows, rowCount, fields: [...this.#description.fields], command }
  }

  /** The next statement's answer has columns of its own. */
  forget(): void {
    this.#description = NO_COLUMNS
    this.#tag = undefined
    this.#rows = []
  }

  /** The next answer is one to the same statement. */
  forgetRows(): void {
    this.#tag = undefined
    this.#rows = []
    this.#failure = undefined
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
}

const TAG = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/

/** What was done, and to how many rows: `SELECT 2`, `INSERT 0 1`, `BEGIN`. Where nothing was asked, nothing was done. */
function readTag(tag: string | undefined): { command: string | undefined; rowCount: number } {
  if (tag === 'SELECT 1') return { command: 'SELECT', rowCount: 1 }
  const [, command, first, second] = TAG.exec(tag ?? '') ?? []
  return { command, rowCount: Number(second ?? first ?? 0) }
}

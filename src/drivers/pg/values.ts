import type { PgClient, PgQueryClass } from './client.ts'

type Writer = (value: unknown) => unknown

/**
 * The values as pg writes them for the server; written twice they stay the same. Before anything is sent, since pg
 * itself finds out in mid-statement that it cannot write a value, and up to 8.21 the connection then hangs for ever.
 * @throws what a value throws that cannot be written, such as an object that refers to itself
 */
export function writeValues(client: PgClient, values: readonly unknown[]): readonly unknown[] {
  const write = writerOf(client)
  return values.map((value) => {
    const written = write(value)
    return written === null || written === undefined || Buffer.isBuffer(written) ? written : String(written)
  })
}

const writers = new WeakMap<object, Writer>()

/** Only newer versions of pg export it; but a query hands it to whatever connection it is given. */
function writerOf(client: PgClient): Writer {
  const { Query } = client.constructor as unknown as { Query: PgQueryClass }
  const known = writers.get(Query)
  if (known !== undefined) return known
  let writer: Writer | undefined
  const ignore = () => undefined
  new Query({ text: 'select $1', values: [null], rows: 1 }).prepare({
    parsedStatements: {},
    submittedNamedStatements: {},
    bind: ({ valueMapper }: { valueMapper?: Writer }) => {
      writer = valueMapper
    },
    parse: ignore,
    describe: ignore,
    execute: ignore,
    flush: ignore,
    sync: ignore,
    close: ignore,
  })
  if (writer === undefined) throw new TypeError('this version of pg does not tell how it writes values')
  writers.set(Query, writer)
  return writer
}

import nodeModule from 'node:module'
import { pipeline, type Readable, Transform } from 'node:stream'
import { loadPackage, resolvePackage } from '../../drivers/load-package.ts'
import type { PgClient, PgField } from '../../drivers/pg/client.ts'
import type { Types } from './reading.ts'

/** `pg-query-stream`, which Slonik's own driver brings along. */
export type QueryStreamClass = new (
  text: string,
  values: readonly unknown[] | undefined,
  config: { types: Types },
) => Readable

interface Field {
  readonly dataTypeId: number
  readonly name: string
}

export function fieldsOf(fields: readonly PgField[]): Field[] {
  return fields.map(({ dataTypeID, name }) => ({ dataTypeId: dataTypeID, name }))
}

/** The installed one, or that of Slonik. @throws DriverMissingError */
export function queryStreamOf(given: QueryStreamClass | undefined): QueryStreamClass {
  const loaded = given ?? installed()
  return (loaded as { default?: QueryStreamClass }).default ?? (loaded as QueryStreamClass)
}

function installed(): unknown {
  try {
    return loadPackage('pg-query-stream')
  } catch {
    const driver = resolvePackage('@slonik/pg-driver', 'slonik')
    return nodeModule.createRequire(driver)('pg-query-stream')
  }
}

interface Statement {
  readonly text: string
  readonly values: readonly unknown[] | undefined
  readonly typesOf: (client: PgClient) => Types
}

interface Emitter {
  once(event: 'rowDescription', listener: (message: { fields: readonly PgField[] }) => void): unknown
  removeListener(event: 'rowDescription', listener: unknown): unknown
}

/**
 * Rows as Slonik wants them, each with the fields. Whoever stops reading ends the statement with it. A connection that is still on its way
 * is waited for.
 */
export function rowStream(
  client: PgClient | Promise<PgClient>,
  { text, values, typesOf }: Statement,
  { QueryStream, translate }: { QueryStream: QueryStreamClass; translate: (error: Error) => Error },
): Readable {
  let fields: Field[] = []
  const rows = new Transform({
    objectMode: true,
    transform: (row, _, done) => done(null, { fields, row }),
    destroy: (error, done) => done(error === null ? null : translate(error)),
  })
  const readOn = (client: PgClient) => {
    // Nobody reads any more.
    if (rows.destroyed) return
    const connection = client.connection as unknown as Emitter
    // It comes when somebody begins to read, and not at all for a statement that is refused.
    const learn = (message: { fields: readonly PgField[] }) => {
      fields = fieldsOf(message.fields)
    }
    connection.once('rowDescription', learn)
    const source = new QueryStream(text, values, { types: typesOf(client) })
    client.query(source as never)
    pipeline(source, rows, () => connection.removeListener('rowDescription', learn))
  }
  if (client instanceof Promise) client.then(readOn).catch((error) => rows.destroy(error))
  else readOn(client)
  return rows
}

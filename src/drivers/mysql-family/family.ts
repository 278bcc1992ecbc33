import type { QueryResult, SqlDriver } from '../../contract/sql-driver.ts'
import { close } from './close.ts'
import type { Target } from './config.ts'
import { classify, isFarewell } from './errors.ts'
import { Killer } from './kill.ts'
import { Link, linkOf, links } from './link.ts'
import { type Flow, RowReader } from './rows.ts'
import { session } from './session.ts'
import type { Speaker } from './speaker.ts'
import { toParameter } from './values.ts'
import { type Address, adopt, dial, type Wire } from './wire.ts'

/** A statement as it goes to a package: every parameter is one value. */
export interface Statement {
  readonly sql: string
  readonly values: readonly unknown[]
}

/** What each of the two packages does in its own way. */
export interface Package<S extends Speaker> {
  readonly name: string
  /** Opens a connection over the stream that `makeStream` gives, and hands out what the user sees of it. */
  connect(
    options: Record<string, unknown>,
    wiring: { plug: (stream: unknown) => unknown; own: Target['makeStream']; dial: () => unknown },
  ): Promise<{ connection: object; speaker: S }>
  query(speaker: S, statement: Statement, isPrepared: boolean): Promise<QueryResult>
  stream(speaker: S, statement: Statement, reader: RowReader): Flow
}

/** The driver, but for what only one of the packages can do. */
export function familyDriver<S extends Speaker>(given: Package<S>, target: Target): SqlDriver<object> {
  const killer = new Killer(async (at, signal) => linkOf(await open(given, { target, at, signal })))
  const speakerOf = (connection: object) => linkOf(connection).speaker as S
  return {
    name: given.name,
    dialect: 'mysql',
    ...links.perform(session),
    connect: ({ signal }) => open(given, { target, signal }),
    close: (connection) => close(linkOf(connection), killer),
    classify,
    isFarewell,
    inTransaction: (connection) => linkOf(connection).speaker.answers.inTransaction,
    ref: (connection) => linkOf(connection).ref(),
    unref: (connection) => linkOf(connection).unref(),
    query: async (connection, sql, params, { name }) => {
      const statement = { sql, values: params.map(toParameter) }
      const send = () => given.query(speakerOf(connection), statement, name !== undefined)
      return linkOf(connection).run(sql, send)
    },
    stream: (connection, sql, params, { batch }) => {
      const link = linkOf(connection)
      link.assertWhole()
      const reader = new RowReader(batch)
      const statement = { sql, values: params.map(toParameter) }
      return reader.read(link, killer, () => given.stream(link.speaker as S, statement, reader))
    },
    cancel: (connection) => killer.cancel(linkOf(connection)),
  }
}

/** Opens a connection; whatever goes wrong, and however late it is aborted, no socket stays behind. */
async function open<S extends Speaker>(
  given: Package<S>,
  { target, at, signal }: { target: Target; at?: Address | undefined; signal: AbortSignal },
): Promise<object> {
  signal.throwIfAborted()
  const options = await target.options()
  signal.throwIfAborted()
  let wire: Wire | undefined
  const keep = (made: Wire) => {
    wire = made
    if (signal.aborted) made.destroy(signal.reason)
    return made.stream
  }
  const abort = () => wire?.destroy(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  try {
    const { connection, speaker } = await given.connect(options, {
      dial: () => keep(dial(at ?? target.address, target.keepAlive)),
      own: target.makeStream,
      plug: (stream) => keep(adopt(stream)),
    })
    const link = new Link(connection, speaker, wire as unknown as Wire)
    await link.begin(options.database)
    return connection
  } catch (error) {
    abort()
    wire?.destroy()
    await wire?.closed
    throw signal.aborted ? signal.reason : error
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

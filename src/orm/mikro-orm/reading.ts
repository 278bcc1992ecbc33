import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlDialect } from '../../contract/sql-driver.ts'

/** How MikroORM wants a connection to read values. Done with each use: it must cost next to nothing. */
export interface Reading {
  putOn(connection: object): void
  /** Reads as before. */
  takeOff(connection: object): void
}

type Parser = (text: string) => unknown

interface PgReader {
  getTypeParser(oid: number): Parser
  setTypeParser(oid: number, parser: Parser): void
}

/** date, timestamp, timestamptz, interval: MikroORM parses them itself. */
const TIMES = [1082, 1114, 1184, 1186]
/** Arrays of these. */
const TIME_ARRAYS = [1182, 1115, 1185, 1187]
const ALL_TIMES = [...TIMES, ...TIME_ARRAYS]
const TEXT_ARRAY = 1009
const asText: Parser = (text) => text

class PgReading implements Reading {
  readonly #before = new WeakMap<object, Parser[]>()

  putOn(connection: object): void {
    const reader = connection as PgReader
    this.#before.set(reader, this.#note(reader, this.#before.get(reader) ?? []))
    const asTexts = reader.getTypeParser(TEXT_ARRAY)
    for (const oid of TIMES) reader.setTypeParser(oid, asText)
    for (const oid of TIME_ARRAYS) reader.setTypeParser(oid, asTexts)
  }

  takeOff(connection: object): void {
    const before = this.#before.get(connection) ?? []
    before.forEach((parser, i) => {
      ;(connection as PgReader).setTypeParser(ALL_TIMES[i] as number, parser)
    })
  }

  #note(reader: PgReader, before: Parser[]): Parser[] {
    ALL_TIMES.forEach((oid, i) => {
      before[i] = reader.getTypeParser(oid)
    })
    return before
  }
}

type Config = Record<string, unknown>

/** `@mikro-orm/mariadb` parses JSON itself, `@mikro-orm/mysql` leaves it to mysql2. */
function asMikroOrmReads(version: string | undefined): Config {
  return {
    dateStrings: true,
    supportBigNumbers: true,
    jsonStrings: version === undefined || /mariadb/i.test(version),
  }
}

/** mysql2's connection. What the server has said at first is the only place where it tells what it is. */
interface Mysql2Connection {
  readonly config?: Config
  readonly _handshakePacket?: { readonly serverVersion?: string }
}

class Mysql2Reading implements Reading {
  readonly #before = new WeakMap<object, Config>()

  putOn(connection: object): void {
    const { config, _handshakePacket } = connection as Mysql2Connection
    if (typeof config !== 'object' || !('supportBigNumbers' in config))
      throw new InvalidOptionError('pool', 'MikroORM reads MySQL by mysql2: createPool(mysql2(config))')
    const reads = asMikroOrmReads(_handshakePacket?.serverVersion)
    const before: Config = {}
    for (const name of Object.keys(reads)) before[name] = config[name]
    this.#before.set(connection, before)
    Object.assign(config, reads)
  }

  takeOff(connection: object): void {
    Object.assign((connection as { config: Config }).config, this.#before.get(connection))
  }
}

/** SQLite has no types that could be read in several ways. */
export const READING: Readonly<Record<SqlDialect, Reading | undefined>> = {
  postgres: new PgReading(),
  mysql: new Mysql2Reading(),
  sqlite: undefined,
}

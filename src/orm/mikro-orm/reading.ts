import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlDialect } from '../../contract/sql-driver.ts'

/** Makes a connection read values as MikroORM wants them; gives what undoes that. */
export type Reading = (connection: object) => () => void

interface PgReader {
  getTypeParser(oid: number): (text: string) => unknown
  setTypeParser(oid: number, parser: (text: string) => unknown): void
}

/** date, timestamp, timestamptz, interval: MikroORM parses them itself. */
const TIMES = [1082, 1114, 1184, 1186]
/** Arrays of these. */
const TIME_ARRAYS = [1182, 1115, 1185, 1187]
const TEXT_ARRAY = 1009

function ofPg(connection: object): () => void {
  const reader = connection as PgReader
  const before = [...TIMES, ...TIME_ARRAYS].map((oid) => [oid, reader.getTypeParser(oid)] as const)
  const texts = reader.getTypeParser(TEXT_ARRAY)
  for (const oid of TIMES) reader.setTypeParser(oid, (text) => text)
  for (const oid of TIME_ARRAYS) reader.setTypeParser(oid, texts)
  return () => {
    for (const [oid, parser] of before) reader.setTypeParser(oid, parser)
  }
}

type Config = Record<string, unknown>

const AS_MIKRO_ORM_READS: Config = { dateStrings: true, supportBigNumbers: true, jsonStrings: true }

function ofMysql2(connection: object): () => void {
  const { config } = connection as { config?: Config }
  if (typeof config !== 'object' || !('supportBigNumbers' in config))
    throw new InvalidOptionError('pool', 'MikroORM reads MySQL by mysql2: createPool(mysql2(config))')
  const before = Object.fromEntries(Object.keys(AS_MIKRO_ORM_READS).map((name) => [name, config[name]]))
  Object.assign(config, AS_MIKRO_ORM_READS)
  return () => void Object.assign(config, before)
}

/** SQLite has no types that could be read in several ways. */
export const READING: Readonly<Record<SqlDialect, Reading | undefined>> = {
  postgres: ofPg,
  mysql: ofMysql2,
  sqlite: undefined,
}

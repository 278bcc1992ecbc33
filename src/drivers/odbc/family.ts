import type { BeginOptions, SavepointMove } from '../../contract/sql-driver.ts'
import { STANDARD_LEVELS } from '../isolation.ts'

export type FamilyName = 'postgres' | 'mysql' | 'sqlite' | 'sqlserver' | 'other'

/** What ODBC leaves to each database: how it says things, and what can be undone. */
export interface Family {
  readonly name: FamilyName
  /** The database answers this, and no other does: so it is recognised. */
  readonly recognise?: { readonly sql: string; readonly by: RegExp }
  /**
   * Gives `id`, the number of the session, and `place`, the server's identity, for a cancel by another connection; and
   * `used` where a session that `mark` has marked comes back from the driver manager's own pool.
   */
  readonly session?: string
  readonly mark?: string
  /** Ends the session itself, which the driver manager would keep. */
  readonly end?: string
  kill?(id: unknown): string
  /** After a cancel that came late, swallows it. */
  readonly settle?: string
  /** Undefined: by ODBC's own way of beginning a transaction. */
  begin?(options: BeginOptions): readonly string[]
  /** What a begin of this kind changes for longer than its transaction is undone by this. */
  afterwards?(options: BeginOptions): string | undefined
  /** A transaction holds a lock as soon as it has begun. */
  readonly locksAtBegin?: boolean
  readonly commit?: string
  readonly rollback?: string
  savepoint(name: string, move: SavepointMove): string | undefined
  /** Makes a session as after connecting; undefined where no statement can. */
  readonly clean?: readonly string[]
  /**
   * The driver prepares what has parameters, and to free it asks the server: for `query`, the package does that in the
   * thread of the program, which would stand still for a round trip, and for as long as the network is silent.
   */
  readonly freesByAsking?: boolean
  /** Several rows at a time arrive whole; MariaDB's driver was seen to lose the last ones of a block that is not full. */
  readonly fetchesBlocks?: boolean
  /** Whether the server refuses writes. */
  readonly readOnly?: string
  /** Why a text must not be sent. */
  refuses?(sql: string): string | undefined
}

const MOVES: Readonly<Record<SavepointMove, string>> = {
  set: 'SAVEPOINT',
  release: 'RELEASE SAVEPOINT',
  rollback: 'ROLLBACK TO SAVEPOINT',
}

const standard = (name: string, move: SavepointMove) => `${MOVES[move]} ${name}`

const postgres: Family = {
  name: 'postgres',
  recognise: { sql: 'select version() as v', by: /^PostgreSQL/ },
  session: `select pg_backend_pid() as id, concat_ws('/', inet_server_addr(), current_setting('port'), pg_postmaster_start_time()) as place`,
  kill: (id) => `select pg_cancel_backend(${Number(id)})`,
  begin({ isolation, readOnly }) {
    const level = isolation === undefined ? '' : ` ISOLATION LEVEL ${STANDARD_LEVELS[isolation]}`
    return [`BEGIN${level}${readOnly === undefined ? '' : readOnly ? ' READ ONLY' : ' READ WRITE'}`]
  },
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: standard,
  // The driver has set this one at connect, so that every double arrives whole.
  clean: ['DISCARD ALL', 'set extra_float_digits = 2'],
  freesByAsking: true,
  fetchesBlocks: true,
  readOnly: `select (pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on')::int as yes`,
}

const mysql: Family = {
  name: 'mysql',
  recognise: { sql: 'select version() as v', by: /^\d+\.\d+/ },
  session: `select connection_id() as id, concat_ws('/', @@hostname, @@port, @@server_id) as place, @rockpool_session as used`,
  mark: 'set @rockpool_session = 1',
  end: 'KILL CONNECTION_ID()',
  kill: (id) => `KILL QUERY ${Number(id)}`,
  settle: 'select 0',
  refuses: freezesMariadb,
  begin({ isolation, readOnly }) {
    const how = [
      ...(isolation === 'snapshot' ? ['WITH CONSISTENT SNAPSHOT'] : []),
      ...(readOnly === undefined ? [] : [readOnly ? 'READ ONLY' : 'READ WRITE']),
    ]
    const level =
      isolation === undefined ? [] : [`SET TRANSACTION ISOLATION LEVEL ${STANDARD_LEVELS[isolation]}`]
    return [...level, `START TRANSACTION ${how.join(', ')}`]
  },
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: standard,
  readOnly: 'select greatest(@@global.read_only, @@global.innodb_read_only) as yes',
}

const QUOTED = /'(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`[^`]*`|--\s[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\//g

/**
 * Seen with MariaDB's driver 3.1: after these it keeps a lock of the connection, and the package, which frees the statement
 * in the thread of the program, stands still for ever, and the program with it.
 */
function freezesMariadb(sql: string): string | undefined {
  if (/^\s*do\b/i.test(sql)) return 'DO freezes the program with the ODBC driver of MariaDB: use SELECT'
  if (!sql.includes(';') || /^\s*(create|alter)\b/i.test(sql)) return undefined
  if (!/;\s*\S/.test(sql.replaceAll(QUOTED, ' x '))) return undefined
  return 'several statements in one text freeze the program with the ODBC driver of MariaDB: send them one by one'
}

const sqlite: Family = {
  name: 'sqlite',
  recognise: { sql: 'select sqlite_version() as v', by: /^3\./ },
  session: 'pragma temp.user_version',
  mark: 'pragma temp.user_version = 1',
  fetchesBlocks: true,
  // What writes takes its turn at once: two that only find out later cannot both go on.
  locksAtBegin: true,
  begin: ({ readOnly }) => (readOnly === true ? ['PRAGMA query_only = 1', 'BEGIN'] : ['BEGIN IMMEDIATE']),
  afterwards: ({ readOnly }) => (readOnly === true ? 'PRAGMA query_only = 0' : undefined),
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: standard,
}

const sqlserver: Family = {
  name: 'sqlserver',
  recognise: { sql: 'select @@version as v', by: /SQL Server/ },
  begin({ isolation }) {
    if (isolation === undefined) return ['BEGIN TRANSACTION']
    const level = isolation === 'snapshot' ? 'SNAPSHOT' : STANDARD_LEVELS[isolation]
    return [`SET TRANSACTION ISOLATION LEVEL ${level}`, 'BEGIN TRANSACTION']
  },
  afterwards: ({ isolation }) =>
    isolation === undefined ? undefined : 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED',
  commit: 'COMMIT TRANSACTION',
  rollback: 'IF @@TRANCOUNT > 0 ROLLBACK TRANSACTION',
  // Nothing gives a savepoint up.
  savepoint: (name, move) =>
    move === 'release' ? undefined : `${move === 'set' ? 'SAVE' : 'ROLLBACK'} TRANSACTION ${name}`,
}

const other: Family = { name: 'other', savepoint: standard }

export const FAMILIES: Readonly<Record<FamilyName, Family>> = { postgres, mysql, sqlite, sqlserver, other }

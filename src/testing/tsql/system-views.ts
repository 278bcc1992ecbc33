import type { Session } from './session.ts'
import type { ColumnDefinition } from './syntax.ts'
import { Table, type Values } from './table.ts'
import type { SqlType } from './value.ts'

const NAME: SqlType = { name: 'nvarchar', size: 128 }
const INT: SqlType = { name: 'int' }
const BIT: SqlType = { name: 'bit' }

type View = { columns: Readonly<Record<string, SqlType>>; rows(session: Session): Values[] }

/** What programs, and this package itself, ask a server about itself. */
const VIEWS: Readonly<Record<string, View>> = {
  'sys.dm_exec_sessions': {
    columns: {
      session_id: { name: 'smallint' },
      program_name: NAME,
      login_name: NAME,
      host_name: NAME,
      transaction_isolation_level: { name: 'smallint' },
      open_transaction_count: INT,
      is_user_process: BIT,
    },
    rows: ({ host }) =>
      [...host.sessions.values()].map(({ spid, login, level, depth }) => {
        return [spid, login.application, login.user, login.hostName, level, depth, true]
      }),
  },
  'sys.databases': {
    columns: {
      name: NAME,
      database_id: INT,
      is_read_only: BIT,
      snapshot_isolation_state: { name: 'tinyint' },
      is_read_committed_snapshot_on: BIT,
    },
    rows: ({ host }) =>
      [...host.databases].map((name, index) => [name, index + 1, host.isReadOnly, 1, false]),
  },
  'sys.tables': {
    columns: { name: NAME, object_id: INT },
    rows: ({ host }) => [...host.tables.values()].map(({ name, id }) => [name, id]),
  },
  'information_schema.tables': {
    columns: {
      TABLE_CATALOG: NAME,
      TABLE_SCHEMA: NAME,
      TABLE_NAME: NAME,
      TABLE_TYPE: { name: 'varchar', size: 10 },
    },
    rows: ({ host, database }) =>
      [...host.tables.values()].map(({ name }) => [database, 'dbo', name, 'BASE TABLE']),
  },
  'information_schema.columns': {
    columns: {
      TABLE_NAME: NAME,
      COLUMN_NAME: NAME,
      ORDINAL_POSITION: INT,
      DATA_TYPE: NAME,
      IS_NULLABLE: { name: 'varchar', size: 3 },
    },
    rows: ({ host }) =>
      [...host.tables.values()].flatMap((table) =>
        table.columns.map(({ name, type, isNullable }, index) => {
          return [table.name, name, index + 1, type.name, isNullable ? 'YES' : 'NO']
        }),
      ),
  },
}

export function systemView(session: Session, name: string): { table: Table; rows: Values[] } | undefined {
  const view = Object.hasOwn(VIEWS, name) ? VIEWS[name] : undefined
  if (view === undefined) return undefined
  const columns = Object.entries(view.columns).map(
    ([column, type]): ColumnDefinition => ({
      name: column,
      type,
      isNullable: true,
      isIdentity: false,
      isKey: false,
    }),
  )
  return { table: new Table(name, columns, []), rows: view.rows(session) }
}

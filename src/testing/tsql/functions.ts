import { randomUUID } from 'node:crypto'
import { convert, textOf } from './conversion.ts'
import type { Session } from './session.ts'
import { DATETIME2, INT, int, isBytes, isText, type Plain, text, type Value } from './value.ts'

type SqlFunction = (args: readonly Value[], session: Session) => Value

const NULL: Value = { type: INT, plain: null }
const at = (args: readonly Value[], index: number): Value => args[index] ?? NULL
const stringOf = ({ plain, type }: Value) => (plain === null ? undefined : textOf(plain, type))

const onText =
  (change: (given: string, args: readonly Value[]) => string): SqlFunction =>
  (args) => {
    const given = stringOf(at(args, 0))
    const { type } = at(args, 0)
    const kept = isText(type) ? type : text('').type
    return given === undefined ? { type: kept, plain: null } : { type: kept, plain: change(given, args) }
  }

const firstOf: SqlFunction = (args) => args.find(({ plain }) => plain !== null) ?? at(args, 0)
const now: SqlFunction = () => ({ type: DATETIME2, plain: new Date() })
const nameOrNull = (plain: Plain): Value => ({ type: { name: 'nvarchar', size: 128 }, plain })

function lengthOf(value: Value): number {
  if (isBytes(value.type)) return (value.plain as Buffer).length
  return (stringOf(value) ?? '').length
}

const replicate: SqlFunction = (args) => {
  const given = stringOf(at(args, 0))
  const count = at(args, 1).plain
  const { type } = at(args, 0)
  const plain = given === undefined || count === null ? null : given.repeat(Math.max(0, Number(count)))
  // Only a text of type `max` grows beyond 8000 bytes.
  return type.size === 'max'
    ? { type, plain }
    : { type: { name: 'nvarchar', size: 4000 }, plain: plain?.slice(0, 4000) ?? null }
}

/** Functions by their name; those that only real programs on SQL Server use are not here. */
export const functions: Readonly<Record<string, SqlFunction>> = {
  isnull: (args) => {
    const first = at(args, 0)
    return first.plain === null ? { ...convert(at(args, 1), first.type), type: first.type } : first
  },
  coalesce: firstOf,
  nullif: (args) => {
    const [a, b] = [at(args, 0), at(args, 1)]
    return a.plain === b.plain ? { type: a.type, plain: null } : a
  },
  iif: (args) => (at(args, 0).plain === true ? at(args, 1) : at(args, 2)),
  len: (args) => (at(args, 0).plain === null ? NULL : int((stringOf(at(args, 0)) ?? '').trimEnd().length)),
  datalength: (args) => {
    const value = at(args, 0)
    if (value.plain === null) return NULL
    return int(lengthOf(value) * (isText(value.type) && value.type.name.startsWith('n') ? 2 : 1))
  },
  upper: onText((given) => given.toUpperCase()),
  lower: onText((given) => given.toLowerCase()),
  trim: onText((given) => given.trim()),
  ltrim: onText((given) => given.trimStart()),
  rtrim: onText((given) => given.trimEnd()),
  left: onText((given, args) => given.slice(0, Number(at(args, 1).plain))),
  substring: onText((given, args) => {
    const start = Number(at(args, 1).plain) - 1
    return given.slice(start, start + Number(at(args, 2).plain))
  }),
  replace: onText((given, args) =>
    given.replaceAll(stringOf(at(args, 1)) ?? '', stringOf(at(args, 2)) ?? ''),
  ),
  concat: (args) => text(args.map((arg) => stringOf(arg) ?? '').join('')),
  replicate,
  abs: (args) => {
    const { type, plain } = at(args, 0)
    return plain === null
      ? { type, plain }
      : convert(
          {
            type,
            plain: typeof plain === 'bigint' ? (plain < 0n ? -plain : plain) : Math.abs(Number(plain)),
          },
          type,
        )
  },
  getdate: now,
  sysdatetime: now,
  sysutcdatetime: now,
  getutcdate: now,
  newid: () => ({ type: { name: 'uniqueidentifier' }, plain: randomUUID().toUpperCase() }),
  db_name: (_, session) => nameOrNull(session.database),
  schema_name: () => nameOrNull('dbo'),
  suser_sname: (_, session) => nameOrNull(session.login.user),
  suser_name: (_, session) => nameOrNull(session.login.user),
  user_name: () => nameOrNull('dbo'),
  app_name: (_, session) => nameOrNull(session.login.application),
  host_name: (_, session) => nameOrNull(session.login.hostName),
  scope_identity: (_, session) => session.fact('@@identity') as Value,
  xact_state: (_, session) => ({ type: { name: 'smallint' }, plain: session.xactState }),
  object_id: (args, session) => {
    const name = (stringOf(at(args, 0)) ?? '').replace(/^.*\.\.?/, '').replaceAll(/[[\]]/g, '')
    return { type: INT, plain: session.findTable(name)?.id ?? null }
  },
  databasepropertyex: (args, session) => {
    const wanted = stringOf(at(args, 1))?.toLowerCase()
    if (wanted === 'updateability') return nameOrNull(session.host.isReadOnly ? 'READ_ONLY' : 'READ_WRITE')
    return nameOrNull(wanted === 'status' ? 'ONLINE' : null)
  },
  serverproperty: (args) =>
    nameOrNull(stringOf(at(args, 0))?.toLowerCase() === 'productversion' ? '16.0.1000.6' : null),
  applock_test: (args, session) => {
    const [resource = '', mode = ''] = [stringOf(at(args, 1)), stringOf(at(args, 2))]
    return int(session.canLock(resource, mode) ? 1 : 0)
  },
  error_number: (_, session) => session.caughtFact('number'),
  error_message: (_, session) => session.caughtFact('message'),
  error_severity: (_, session) => session.caughtFact('severity'),
  error_state: (_, session) => session.caughtFact('state'),
  error_line: (_, session) => session.caughtFact('line'),
  error_procedure: () => nameOrNull(null),
}

import type { Row } from '../../contract/sql-driver.ts'
import type { Engine } from './engine.ts'

/** Settings of a connection, which a session may have changed. */
const SETTINGS = [
  'automatic_index',
  'cache_size',
  'cell_size_check',
  'defer_foreign_keys',
  'foreign_keys',
  'ignore_check_constraints',
  'legacy_alter_table',
  'read_uncommitted',
  'recursive_triggers',
  'reverse_unordered_selects',
  'secure_delete',
  'synchronous',
  'temp_store',
  'trusted_schema',
]

/** As they were when the connection was opened. */
const settings = new WeakMap<Engine, [name: string, value: unknown][]>()

/**
 * The one connection of a database in memory, as each session sees it: its end is not the connection's end, and a session
 * `again` as new is one without what only sessions have.
 */
export function sharedEngine(engine: Engine, again: boolean): Engine {
  if (again) tidy(engine)
  else if (!settings.has(engine)) settings.set(engine, readSettings(engine))
  return { ...engine, close: () => undefined }
}

function tidy(engine: Engine): void {
  engine.allowWrites(true)
  for (const { type, name } of rows(
    engine,
    "select type, name from sqlite_temp_master where type in ('table', 'view')",
  ))
    engine.run(`drop ${type} if exists temp.${quoted(name)}`, [])
  for (const { name } of rows(engine, 'pragma database_list'))
    if (name !== 'main' && name !== 'temp') engine.run(`detach ${quoted(name)}`, [])
  for (const [name, value] of settings.get(engine) ?? []) engine.script(`pragma ${name} = ${value}`)
}

function readSettings(engine: Engine): [string, unknown][] {
  return SETTINGS.flatMap((name) => {
    const [row] = rows(engine, `pragma ${name}`)
    return row === undefined ? [] : [[name, Object.values(row)[0]] as [string, unknown]]
  })
}

function rows(engine: Engine, text: string): Row[] {
  return engine.run(text, []).rows
}

function quoted(name: unknown): string {
  return `"${String(name).replaceAll('"', '""')}"`
}

import type { Row } from '../../contract/sql-driver.ts'
import type { Engine } from './engine.ts'

/**
 * The one connection of a database in memory, as each session sees it: its end is not the connection's end, and a session
 * `again` as new is one without what only sessions have.
 */
export function sharedEngine(engine: Engine, again: boolean): Engine {
  if (again) tidy(engine)
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
  engine.setUp()
}

function rows(engine: Engine, text: string): Row[] {
  return engine.run(text, []).rows
}

function quoted(name: unknown): string {
  return `"${String(name).replaceAll('"', '""')}"`
}

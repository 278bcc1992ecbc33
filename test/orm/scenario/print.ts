import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../../scripts/entries.mjs'
import { startEmbeddedPostgres } from '../../../src/testing/embedded-postgres.ts'
import { cast, performed } from './stage.ts'
import { type Row, tableOf } from './table.ts'

// Plays the scenario with all ORMs, measures them, and writes the table into the document.

const DOCUMENT = join(root, 'docs/orm/README.md')
const server = await startEmbeddedPostgres()
const rows: Row[] = []
try {
  for (const one of cast) {
    const theirs = await performed(server, one, 'theirs')
    const ours = await performed(server, one, 'ours')
    const rate = (await performed(server, one, 'rate')).get('rate')
    rows.push({ title: one.title, theirs, ours, rate })
    process.stdout.write(`${tableOf(rows.slice(-1))}\n${theirs.get('end') ?? ''}${ours.get('end') ?? ''}\n`)
  }
} finally {
  await server.close()
}
const text = readFileSync(DOCUMENT, 'utf8')
const between = /(<!-- scenario -->)[\s\S]*(<!-- \/scenario -->)/
writeFileSync(
  DOCUMENT,
  text.replace(between, (_, begin, end) => `${begin}\n${tableOf(rows)}\n${end}`),
)

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../../scripts/entries.mjs'
import { DEFAULTS } from '../../src/contract/options.ts'
import { OPTION_NAMES } from '../../src/contract/resolve-options.ts'
import { EVENT_NAMES } from '../../src/pool/emitter.ts'
import { read, sources } from '../house/files.ts'
import { documents } from './documents.ts'

// What the guide lists is what there is.

/** The second cells of a document's tables by the names in the first. */
function rowsOf(path: string): Map<string, string> {
  const rows = [...read(path).matchAll(/^\| (`[^|]*) \|([^|]*)\|/gm)]
  return new Map(
    rows.flatMap(([, names = '', value = '']) =>
      [...names.matchAll(/`([\w.]+)`/g)].map(([, name = '']) => [name, value.trim()] as const),
    ),
  )
}

describe('the table of options', () => {
  const rows = rowsOf('docs/guide/options.md')

  test('names every option', () => {
    expect(OPTION_NAMES.filter((name) => !rows.has(name))).toEqual([])
  })

  test.each(Object.entries(DEFAULTS))('says the default of %s', (name, value) => {
    const said = rows.get(name)?.replace(/ \(off\)$/, '')
    const digits = (count: number) => String(count).replace(/\B(?=(\d{3})+$)/g, ' ')
    const written = typeof value === 'string' ? `\`'${value}'\`` : String(value)
    expect(said).toBe(
      typeof value === 'number' && value >= 1_000 && Number.isFinite(value) ? digits(value) : written,
    )
  })
})

test('the table of errors has every code', () => {
  const source = read('src/contract/pool-error.ts')
  const union = /type PoolErrorCode =([\s\S]*?)\n\n/.exec(source)?.[1] ?? ''
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code = '']) => code)
  const rows = rowsOf('docs/guide/errors.md')
  expect(codes.length).toBeGreaterThan(10)
  expect(codes.filter((code) => !rows.has(code))).toEqual([])
})

test('the table of events has every event, and that of counters every reason to close', () => {
  const path = 'docs/guide/events-and-metrics.md'
  const rows = rowsOf(path)
  expect(EVENT_NAMES.filter((name) => !rows.has(name))).toEqual([])
  const union = /type CloseReason =([\s\S]*?)\n\n/.exec(read('src/contract/stats.ts'))?.[1] ?? ''
  const reasons = [...union.matchAll(/'(\w+)'/g)].map(([, reason = '']) => reason)
  expect(rows.get('closed')).toBe('counters')
  expect(read(path)).toContain(reasons.join(' '))
})

test('no document speaks of a time limit that does not exist', () => {
  const source = [...sources().values()].join('\n')
  const invented = documents.flatMap((path) =>
    [...read(path).matchAll(/`(\w+Ms)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(source))
      .map((name) => `${path}: ${name}`),
  )
  expect(invented).toEqual([])
})

test.each(documents)('every link of %s leads somewhere', (path) => {
  const broken = [...read(path).matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
    .filter(([, to = '', anchor]) => {
      const target = to === '' ? path : join(dirname(path), to)
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor)
    })
    .map(([link]) => link)
  expect(broken).toEqual([])
})

function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}

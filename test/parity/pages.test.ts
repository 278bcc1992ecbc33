import { describe, expect, test } from 'vitest'
import { committedFiles, read } from '../house/files.ts'

// Each row of these pages' tables is shown by a test beside this file, or says why things differ.

const files = committedFiles()
const SYSTEMS = ['psycopg2', 'mysql-connector', 'sqlalchemy', 'pyodbc', 'cx-oracle']

/** The last cells of the rows of all tables that end with the column "shown by". */
function proofsOf(markdown: string): { row: string; proof: string }[] {
  let within = false
  return markdown.split('\n').flatMap((row) => {
    if (!row.startsWith('|')) {
      within = false
      return []
    }
    if (/\| shown by \|$/.test(row)) {
      within = true
      return []
    }
    if (!within || /^\| ---/.test(row)) return []
    return [{ row, proof: row.replace(/ \|$/, '').split(' | ').at(-1) ?? '' }]
  })
}

/** What stands between typographic quotes. */
function quotedIn(text: string): string[] {
  return [...text.matchAll(/“([^”]+)”/g)].map(([, name = '']) => name)
}

function testsIn(source: string): string[] {
  return [...source.matchAll(/^ *test(?:\.each\(.*\))?\('([^']+)',/gm)].map(([, name = '']) => name)
}

describe.each(SYSTEMS)('the page of %s', (system) => {
  const proofs = proofsOf(read(`docs/coming-from/${system}.md`))
  const tests = testsIn(
    files
      .filter((file) => file.startsWith(`test/parity/${system}.`))
      .map(read)
      .join('\n'),
  )

  test('has a table worth the name, and tests', () => {
    expect(proofs.length).toBeGreaterThan(15)
    expect(tests.length).toBeGreaterThan(10)
  })

  test('names a test in each row, or says that it differs, and why', () => {
    const bare = proofs.filter(({ proof }) => quotedIn(proof).length === 0 && !/^differs: .{15}/.test(proof))
    expect(bare.map(({ row }) => row)).toEqual([])
  })

  test('names only tests that exist', () => {
    expect(proofs.flatMap(({ proof }) => quotedIn(proof)).filter((name) => !tests.includes(name))).toEqual([])
  })

  test('leaves no test unnamed', () => {
    const named = new Set(proofs.flatMap(({ proof }) => quotedIn(proof)))
    expect(tests.filter((name) => !named.has(name))).toEqual([])
  })
})

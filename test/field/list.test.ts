import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const list = readFileSync(join(root, 'docs/field-list.md'), 'utf8')
const named = [...list.matchAll(/`(test\/[\w./-]+\.test\.ts): (.+?)`(?=<br>| \|)/g)].map(
  ([, file = '', name = '']) => ({ file, name }),
)

test('every test that the list of the field names exists', () => {
  const missing = named.filter(({ file, name }) => {
    if (!existsSync(join(root, file))) return true
    return !readFileSync(join(root, file), 'utf8').includes(name)
  })
  expect(missing).toEqual([])
})

test('every pain and every defect names a test', () => {
  const tables = list.slice(0, list.indexOf('## What cannot concern us'))
  const rows = tables
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (---|what |the )/.test(line))
  expect(rows.length).toBeGreaterThan(40)
  expect(rows.filter((row) => !row.includes('`test/'))).toEqual([])
})

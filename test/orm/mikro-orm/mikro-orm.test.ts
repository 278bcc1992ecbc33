import { afterAll, describe, expect, test } from 'vitest'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import { startPostgres } from '../../support/postgres.ts'
import { needs } from '../../support/skip.ts'
import { onNewerNode } from './newer-node.ts'
import type { Told } from './program.ts'

// MikroORM wants Node 22.17: each case is tried by a program there, and told here.

const server = await startPostgres()
const mysql = hasMariadb ? await startMariadb() : undefined
afterAll(() => mysql?.close())
const { code, told, output } = await onNewerNode<Told>('program', {
  ROCKPOOL_PG_URL: server.url(),
  ...(mysql === undefined ? {} : { ROCKPOOL_MYSQL_URL: mysql.url() }),
})

test('the program has come to its end', () => {
  expect(code, output.slice(-2_000)).toBe(0)
  expect(told.length).toBeGreaterThan(15)
})

test.each(told.map(({ name, error }) => [name, error] as const))('%s', (_, error) => {
  expect(error).toBeUndefined()
})

describe('MariaDB', () => {
  needs(hasMariadb, NO_MARIADB)

  test('has had its turn', () => {
    expect(told.filter(({ name }) => name.startsWith('MariaDB')).length).toBeGreaterThan(3)
  })
})

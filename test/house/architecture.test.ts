import { describe, expect, test } from 'vitest'
import { violations } from './architecture.ts'
import { sources } from './files.ts'

test('src keeps to the rooms and to the direction of imports', () => {
  expect(violations(sources())).toEqual([])
})

describe('the checker', () => {
  const check = (files: Record<string, string>) => violations(new Map(Object.entries(files)))
  const empty = {
    'contract/a.ts': '',
    'engine/a.ts': '',
    'pool/a.ts': '',
    'sql/a.ts': '',
    'drivers/a.ts': '',
  }

  test('lets a downward import pass', () => {
    expect(check({ ...empty, 'sql/b.ts': `import { a } from '../pool/a.ts'; import './a.ts'` })).toEqual([])
  })

  test.each([
    ['upward', 'engine/b.ts', `import { a } from '../pool/a.ts'`, 'upward, engine > pool'],
    ['upward for a type', 'engine/b.ts', `import type { A } from '../pool/a.ts'`, 'upward, engine > pool'],
    ['upward by re-export', 'contract/b.ts', `export * from '../engine/a.ts'`, 'upward, contract > engine'],
    ['upward by an import type', 'engine/b.ts', `type A = import('../pool/a.ts').A`, 'upward, engine > pool'],
    ['upward, late', 'pool/b.ts', `const f = () => import('../sql/a.ts')`, 'upward, pool > sql'],
    ['sideways', 'sql/b.ts', `import { a } from '../drivers/a.ts'`, 'sideways, sql > drivers'],
    [
      'past the contract',
      'drivers/b.ts',
      `import { a } from '../pool/a.ts'`,
      'drivers imports contract alone, not pool',
    ],
    ['to nowhere', 'pool/b.ts', `import { a } from './c.ts'`, 'pool/c.ts does not exist'],
    ['a driver at load', 'drivers/b.ts', `import pg from 'pg'`, 'package pg is loaded with the module'],
    [
      'a driver by require',
      'drivers/b.ts',
      `const pg = require('pg')`,
      'package pg is loaded with the module',
    ],
    ['a driver by a bare import', 'drivers/b.ts', `import 'pg'`, 'package pg is loaded with the module'],
    [
      'a driver by re-export',
      'drivers/b.ts',
      `export { Client } from 'pg'`,
      'package pg is loaded with the module',
    ],
    [
      'a mixed import',
      'drivers/b.ts',
      `import { type A, b } from 'pg'`,
      'package pg is loaded with the module',
    ],
    [
      'a terminal library at load',
      'cli/b.ts',
      `import { Listr } from 'listr2'`,
      'package listr2 is loaded with the module',
    ],
    [
      'a driver by import()',
      'drivers/b.ts',
      `const f = () => import('pg')`,
      'pg is loaded where bundlers see it',
    ],
    ['types of a driver', 'drivers/b.ts', `import type { Client } from 'pg'`, 'types of package pg'],
    ['an unknown room', 'helpers/b.ts', '', 'there is no such room'],
    ['a timer', 'engine/b.ts', 'setTimeout(() => 0, 1)', 'the engine uses setTimeout'],
    ['a hidden timer', 'engine/b.ts', 'globalThis.setTimeout(() => 0, 1)', 'the engine uses setTimeout'],
    ['a promise', 'engine/b.ts', 'export const p = Promise.resolve()', 'the engine uses Promise'],
    ['a type of promise', 'engine/b.ts', 'export type P = Promise<void>', 'the engine uses Promise'],
    ['async', 'engine/b.ts', 'export const f = async () => 1', 'the engine waits (async)'],
    ['an async method', 'engine/b.ts', 'export class A { async f() {} }', 'the engine waits (async)'],
    ['the time of day', 'engine/b.ts', 'export const now = () => Date.now()', 'the engine uses Date'],
    ['the process', 'engine/b.ts', 'export const env = process.env', 'the engine uses process'],
    ['I/O', 'engine/b.ts', `import { readFileSync } from 'node:fs'`, 'the engine imports node:fs'],
  ])('catches %s', (_, path, text, complaint) => {
    expect(check({ ...empty, [path]: text })).toContainEqual(`${path}: ${complaint}`)
  })

  test('lets compat serve an orm, and not the other way round', () => {
    const files = { 'orm/a.ts': `import '../compat/a.ts'`, 'compat/a.ts': '' }
    expect(check(files)).toEqual([])
    expect(check({ 'compat/a.ts': `import '../orm/a.ts'`, 'orm/a.ts': '' })).toEqual([
      'compat/a.ts: sideways, compat > orm',
    ])
  })

  test('lets adapters of an ORM have its types, and only those', () => {
    expect(check({ 'orm/a.ts': `import type { Dialect } from 'kysely'` })).toEqual([])
    expect(check({ 'orm/a.ts': `import { Kysely } from 'kysely'` })).toEqual([
      'orm/a.ts: package kysely is loaded with the module',
    ])
  })

  test('lets the program load its libraries late', () => {
    expect(check({ 'cli/a.ts': `const f = async () => import('listr2')` })).toEqual([])
  })

  test('catches a cycle, also one of types', () => {
    const files = {
      'pool/a.ts': `import './b.ts'`,
      'pool/b.ts': `import type { C } from './c.ts'`,
      'pool/c.ts': `import './a.ts'`,
    }
    expect(check(files)).toEqual(['cycle: pool/a.ts > pool/b.ts > pool/c.ts > pool/a.ts'])
  })

  test('takes no member for a global', () => {
    const text =
      'export interface Ports { readonly process: number }; export const f = (p: Ports) => p.process'
    expect(check({ 'engine/a.ts': text })).toEqual([])
  })
})

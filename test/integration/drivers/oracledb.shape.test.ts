import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import oraclePackage from 'oracledb'
import ts from 'typescript'
import { afterAll, describe, expect, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { type OracleConnection, type OracleModule, oracledb } from '../../../src/drivers/oracledb/index.ts'
import { FakeConnection, FakeOracle, FakePool, FakeResultSet } from '../../support/fake-oracle.ts'

type Class = { readonly prototype: Record<string, unknown> }
/** The types leave the classes out. */
const original = oraclePackage as typeof oraclePackage & Record<'Connection' | 'ResultSet' | 'Pool', Class>

const require = createRequire(import.meta.url)
const declared = declarations(readFileSync(require.resolve('@types/oracledb/index.d.ts'), 'utf8'))

/** What the fake has and the package has not: how a test handles it. */
const OF_THE_FAKE = ['constructor', 'die', 'end', 'giveBack', 'id', 'isClosed']

function membersOf(type: { prototype: object }): string[] {
  return Object.getOwnPropertyNames(type.prototype).filter((name) => !OF_THE_FAKE.includes(name))
}

const fake = new FakeOracle()
afterAll(() => fake.close())

describe('every member of the fake is one of the package', () => {
  const classes: [string, { prototype: object }, { prototype: object }][] = [
    ['Connection', FakeConnection, original.Connection],
    ['ResultSet', FakeResultSet, original.ResultSet],
    ['Pool', FakePool, original.Pool],
  ]
  test.each(classes)('%s', (name, ours, theirs) => {
    const members = membersOf(ours)
    expect(members.length).toBeGreaterThan(1)
    expect(members.filter((member) => !(member in theirs.prototype))).toEqual([])
    // The types know nothing yet of these two.
    const untyped = ['transactionInProgress', 'isHealthy']
    const unknown = members.filter((member) => !declared.get(name)?.has(member) && !untyped.includes(member))
    expect(unknown).toEqual([])
  })

  test('a method takes what the original takes', () => {
    for (const name of ['execute', 'commit', 'rollback', 'ping', 'close', 'isHealthy', 'break'])
      expect(typeof original.Connection.prototype[name]).toBe('function')
    for (const name of ['callTimeout', 'transactionInProgress']) {
      const { prototype } = original.Connection
      expect(Object.getOwnPropertyDescriptor(prototype, name)?.get).toBeTypeOf('function')
    }
  })
})

test('the constants that the driver reads are those of the package', () => {
  for (const name of [
    'OUT_FORMAT_OBJECT',
    'STRING',
    'BUFFER',
    'DB_TYPE_CLOB',
    'DB_TYPE_NCLOB',
    'DB_TYPE_BLOB',
  ])
    expect(Reflect.get(original, name)).toBeDefined()
  expect(original.OUT_FORMAT_OBJECT).toBe(4002)
})

test('every option that the driver passes is one that the package knows', async () => {
  const module = fake.module() as unknown as OracleModule<OracleConnection>
  const config = {
    user: 'a',
    password: 'b',
    connectString: 'db:1521/service',
    stmtCacheSize: 40,
    callTimeout: 5000,
  }
  {
    await using pool = createPool(oracledb(config, { module }))
    await pool.query('select 1 from dual')
    await pool.transaction((tx) => tx.query('select 1 from dual'))
    for await (const row of pool.stream('select 1 as n from dual')) expect(row).toEqual({ N: 1 })
  }
  {
    await using pool = createPool(oracledb({ ...config, drcp: { lingerMs: 0 } }, { module }), { maxIdle: 0 })
    await pool.query('select 1 from dual')
  }
  // Since version 6.4, later than the types.
  const newer = ['connectTimeout']
  const unknown = (passed: ReadonlySet<string>, type: string) =>
    [...passed].filter((name) => !declared.get(type)?.has(name) && !newer.includes(name))
  expect(unknown(fake.passed.attributes, 'ConnectionAttributes')).toEqual([])
  expect(unknown(fake.passed.pool, 'PoolAttributes')).toEqual([])
  expect(unknown(fake.passed.execute, 'ExecuteOptions')).toEqual([])
  expect(fake.passed.execute.size).toBeGreaterThan(4)
})

test('the package itself accepts the attributes, and refuses others of their kind', async () => {
  const attributes = {
    user: 'a',
    password: 'b',
    connectString: '127.0.0.1:1/service',
    connectTimeout: 1,
    stmtCacheSize: 3,
  }
  await expect(original.getConnection(attributes)).rejects.toThrow(/NJS-503/)
  await expect(original.getConnection({ ...attributes, connectTimeout: -1 })).rejects.toThrow(/NJS-007/)
})

/** The members of each interface, with those of the interfaces that it extends. */
function declarations(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>()
  const bases = new Map<string, string[]>()
  const visit = (node: ts.Node): void => {
    if (ts.isInterfaceDeclaration(node)) {
      const members = found.get(node.name.text) ?? new Set()
      for (const { name } of node.members) if (name !== undefined) members.add(name.getText())
      found.set(node.name.text, members)
      const extended = (node.heritageClauses ?? []).flatMap(({ types }) =>
        types.map((type) => type.expression.getText()),
      )
      bases.set(node.name.text, [...(bases.get(node.name.text) ?? []), ...extended])
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('index.d.ts', text, ts.ScriptTarget.ES2022, true))
  for (const [name, extended] of bases)
    for (const base of extended) for (const member of found.get(base) ?? []) found.get(name)?.add(member)
  return found
}

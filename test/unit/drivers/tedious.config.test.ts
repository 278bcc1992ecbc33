import { expect, test } from 'vitest'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { resolveConfig } from '../../../src/drivers/tedious/config.ts'
import { tedious } from '../../../src/drivers/tedious/index.ts'

async function read(config: unknown) {
  const { server, options, authentication } = await resolveConfig(config).config()
  const { options: login, ...how } = authentication as { options?: object }
  return { server, ...options, ...login, ...how } as Record<string, unknown>
}

test.each([
  ['sqlserver://h', { server: 'h', port: 1433, type: 'default' }],
  ['SQLSERVER://h:1444', { server: 'h', port: 1444 }],
  ['mssql://h:1433/app', { server: 'h', port: 1433, database: 'app' }],
  ['sqlserver://', { server: 'localhost', port: 1433 }],
  [
    'sqlserver://u:p@h:1433;database=x;encrypt=true',
    { userName: 'u', password: 'p', database: 'x', encrypt: true },
  ],
  ['sqlserver://h;user=u;password=p', { userName: 'u', password: 'p' }],
  ['sqlserver://h;User Id=u;PWD=p;Initial Catalog=x', { userName: 'u', password: 'p', database: 'x' }],
  ['sqlserver://h;password={a;b}}c=d}', { password: 'a;b}c=d' }],
  ['sqlserver://h;password=100%25', { password: '100%25' }],
  ['sqlserver://u%40x:p%2F%3F%3B%25@h/a%2Fb', { userName: 'u@x', password: 'p/?;%', database: 'a/b' }],
  ['sqlserver://u:p:q@h', { password: 'p:q' }],
  ['sqlserver://u:p@ss@h', { userName: 'u', password: 'p@ss', server: 'h' }],
  [
    'mssql://u:p@h/x?encrypt=false&trustServerCertificate=yes',
    { encrypt: false, trustServerCertificate: true },
  ],
  ['mssql://h?appName=a%20b+c', { appName: 'a b c' }],
  ['sqlserver://h;applicationName=7;database=42', { appName: '7', database: '42' }],
  ['sqlserver://h;encrypt=strict', { encrypt: 'strict' }],
  ['sqlserver://h;encrypt=optional', { encrypt: false }],
  ['sqlserver://h\\SQLEXPRESS', { server: 'h', instanceName: 'SQLEXPRESS' }],
  ['sqlserver://h;instanceName=SQLEXPRESS', { instanceName: 'SQLEXPRESS' }],
  ['sqlserver://[::1]:1444/x', { server: '::1', port: 1444 }],
  ['sqlserver://h;ApplicationIntent=ReadOnly', { readOnlyIntent: true }],
  ['sqlserver://h;applicationIntent=ReadWrite', { readOnlyIntent: false }],
  ['sqlserver://h;isolationLevel=READ_UNCOMMITTED', { isolationLevel: 1, connectionIsolationLevel: 1 }],
  ['sqlserver://h;domain=CORP;user=u;password=p', { type: 'ntlm', domain: 'CORP', userName: 'u' }],
  ['sqlserver://h?packetSize=8192&useUTC=false', { packetSize: 8192, useUTC: false }],
])('%s', async (url, expected) => {
  expect(await read(url)).toMatchObject(expected)
})

test('the pool has the limits: tedious has none of its own, unless they are asked for', async () => {
  expect(await read('sqlserver://h')).toMatchObject({ requestTimeout: 0, maxRetriesOnTransientErrors: 0 })
  expect(await read('sqlserver://h?requestTimeout=5000')).toMatchObject({ requestTimeout: 5000 })
})

test("tedious' own shape and a flat one say the same", async () => {
  const flat = { server: 'h', port: 1444, user: 'u', password: 'p', database: 'x', encrypt: false }
  const own = {
    server: 'h',
    authentication: { type: 'default', options: { userName: 'u', password: 'p' } },
    options: { port: 1444, database: 'x', encrypt: false },
  }
  expect(await read(flat)).toEqual(await read(own))
  expect(await read({ ...flat, server: undefined, host: 'h' })).toEqual(await read(flat))
})

test('passwords and tokens are asked for anew for each connect', async () => {
  let count = 0
  const password = () => `p${++count}`
  const target = resolveConfig({ server: 'h', user: 'u', password })
  for (const expected of ['p1', 'p2'])
    expect((await target.config()).authentication).toMatchObject({ options: { password: expected } })
  const token = resolveConfig({
    server: 'h',
    authentication: async () => ({
      type: 'azure-active-directory-access-token',
      options: { token: password() },
    }),
  })
  expect((await token.config()).authentication).toMatchObject({ options: { token: 'p3' } })
})

test.each([
  ['postgres://u:S3cret@h', /does not begin with sqlserver:\/\/ or mssql:\/\//],
  ['sqlserver://u:S3cret@a,b', /several hosts/],
  ['sqlserver://u:S3cret@h:1:2', /more than one ":"/],
  ['sqlserver://u:S3cret@h:99999', /"port" must be a whole number/],
  ['sqlserver://u:S3/cret@h', /"port" must be|"@" behind its host/],
  ['sqlserver://u:S3cret%zz@h', /malformed "%" in its password/],
  ['sqlserver://u:S3cret@h;=x', /a part behind its host/],
  ['sqlserver://u:S3cret@h?encrypt', /without a name or a value/],
  ['sqlserver://u:S3cret@h;pool.max=5', /behind a "\?"/],
  ['sqlserver://u:S3cret@h;isolationLevel=chaos', /"isolationLevel" is "chaos"/],
  ['sqlserver://u:S3cret@h\\I:1433', /exclude each other/],
  ['sqlserver://u:S3cret@h\n', /control character/],
  [{ server: 5 }, /"server" is 5/],
  [{ password: { S3cret: 1 } }, /"password" is of type object/],
  [{ options: 'S3cret' }, /"options" is of type string/],
  [5, /the config of tedious is 5/],
  [undefined, /is undefined/],
])('%j is refused, and the password not shown', (config, message) => {
  const refused = () => tedious(config as string)
  expect(refused).toThrow(InvalidOptionError)
  expect(refused).toThrow(message)
  expect(refused).not.toThrow(/S3/)
})

test('a password function that gives no text is refused without showing what it gave', async () => {
  const { config } = resolveConfig({ server: 'h', user: 'u', password: (() => 12345) as never })
  const error = await config().catch((error) => error)
  expect(error).toBeInstanceOf(InvalidOptionError)
  expect(error.message).toMatch(/type number/)
})

test('the module must be tedious', () => {
  expect(() => tedious('sqlserver://h', { module: {} as never })).toThrow(/must be the "tedious" package/)
})

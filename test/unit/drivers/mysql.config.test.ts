import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { mariadb } from '../../../src/drivers/mariadb/index.ts'
import { resolveConfig } from '../../../src/drivers/mysql-family/config.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'

const DIALECT = {
  tls: { authority: { by: 'authority' }, identity: { by: 'identity' } },
  defaults: { connectTimeout: 0 },
}

async function read(config: unknown) {
  const target = resolveConfig('mysql2', config, DIALECT)
  return { address: target.address, ...(await target.options()) } as Record<string, unknown>
}

test.each([
  ['mysql://h', { host: 'h', port: 3306 }],
  ['MYSQL://h', { host: 'h' }],
  ['mariadb://h:3307/app', { host: 'h', port: 3307, database: 'app' }],
  ['mysql://', { host: 'localhost', port: 3306 }],
  ['mysql:///app', { host: 'localhost', database: 'app' }],
  ['mysql://u@h', { user: 'u' }],
  ['mysql://u:@h', { user: 'u' }],
  ['mysql://u:p:q@h', { password: 'p:q' }],
  ['mysql://u%40x:p%2F%3F%23%25@h/a%2Fb', { user: 'u@x', password: 'p/?#%', database: 'a/b' }],
  ['mysql://u:p#q@h', { password: 'p#q' }],
  ['mysql://u:p@ss@h', { user: 'u', password: 'p@ss', host: 'h' }],
  ['mysql://[::1]:3307/app', { host: '::1', port: 3307 }],
  ['mysql://u@%2Frun%2Fmysqld.sock/app', { address: { path: '/run/mysqld.sock' }, database: 'app' }],
  ['mysql://u@h/app?socketPath=/run/s', { address: { path: '/run/s' } }],
  ['mysql://u@h/app?socket=/run/s', { address: { path: '/run/s' } }],
  ['mysql://h?charset=latin1&connectTimeout=5000', { charset: 'latin1', connectTimeout: 5000 }],
  ['mysql://h?supportBigNumbers=true&timezone=%2B02:00', { supportBigNumbers: true, timezone: '+02:00' }],
  ['mysql://h?ssl={"ca":"x"}', { ssl: { ca: 'x' } }],
  ['mysql://h?ssl=Amazon%20RDS', { ssl: 'Amazon RDS' }],
  ['mysql://h?ssl=true', { ssl: { by: 'identity' } }],
  ['mysql://h?ssl-mode=REQUIRED', { ssl: { rejectUnauthorized: false } }],
  ['mysql://h?sslmode=verify-ca', { ssl: { by: 'authority' } }],
  ['mysql://h?sslMode=VERIFY_IDENTITY', { ssl: { by: 'identity' } }],
  ['mysql://u:p@h/app?user=other&database=other', { user: 'u', database: 'app' }],
  [new URL('mysql://u:p@h/app'), { user: 'u', password: 'p', host: 'h', database: 'app' }],
  [
    { host: 'h', port: '3307', user: 'u' },
    { host: 'h', port: 3307, user: 'u' },
  ],
  [
    { uri: 'mysql://u:p@h/app', database: 'mine' },
    { user: 'u', host: 'h', database: 'mine' },
  ],
  [
    { host: 'h', dateStrings: true },
    { dateStrings: true, connectTimeout: 0 },
  ],
  [{ password: () => 'asked' }, { password: 'asked' }],
  [{ password: async () => 'asked' }, { password: 'asked' }],
])('%j is read', async (config, expected) => {
  expect(await read(config)).toMatchObject(expected)
})

test.each([
  ['postgres://u:S3cret@h', /does not begin with mysql/],
  ['mysql://u:S3c/ret@h/db', /"@" or "#" behind/],
  ['mysql://u:S3c?ret@h/db', /"@" or "#" behind/],
  ['mysql://u:S3cret%@h/db', /malformed "%" in its password/],
  ['mysql://u:S3cret@h:33x', /"port" must be a whole number/],
  ['mysql://u:S3cret@h:70000', /"port" must be/],
  ['mysql://u:S3cret@h1,h2/db', /several hosts/],
  ['mysql://u:S3cret@::1/db', /\[brackets\]/],
  ['mysql://u:S3cret@h/db?pool.max=5', /is for the pool/],
  ['mysql://u:S3cret@h/db?flag', /without a value/],
  ['mysql://u:S3cret@h/db\n', /control character/],
  ['mysql://u:S3cret@h?ssl-mode=PREFERRED', /it must be DISABLED, REQUIRED/],
  [undefined, /must be a URL or an object/],
  [{ host: 5, password: 'S3cret' }, /"host" is 5/],
  [{ password: 5 }, /"password" is of type number/],
  [{ stream: {} }, /"stream" must be a function/],
])('%j is refused, without the password', (config, message) => {
  for (const driver of [mysql2, mariadb]) {
    const refused = () => driver(config as string)
    expect(refused).toThrow(InvalidOptionError)
    expect(refused).toThrow(message)
    expect(refused).not.toThrow(/S3c|ret@/)
  }
})

test('a password function that gives no text is an error of its own', async () => {
  await expect(read({ password: () => 5 })).rejects.toThrow(/"password" function gave a value of type number/)
})

test.each(['mysql://h?ssl=false', 'mysql://h?ssl-mode=DISABLED', 'mysql://h'])(
  '%s is without TLS',
  async (url) => {
    expect(await read(url)).not.toHaveProperty('ssl')
  },
)

test('certificates are read for every connect', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-ca-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'ca.pem')
  const target = resolveConfig('mysql2', { 'ssl-ca': file }, DIALECT)
  await expect(target.options()).rejects.toThrow(/"ssl-ca" cannot be read/)
  for (const content of ['one', 'two']) {
    writeFileSync(file, content)
    expect((await target.options()).ssl).toEqual({ ca: content, by: 'identity' })
  }
})

test("the user's own objects stay as they are", async () => {
  const ssl = Object.freeze({ ca: 'x' })
  const config = Object.freeze({ ssl })
  const { ssl: used } = await read(config)
  expect(used).toEqual(ssl)
  expect(used).not.toBe(ssl)
})

test('what is not the package is refused at once', () => {
  for (const module of [{}, null, 5, { createConnection: 'no' }]) {
    expect(() => mysql2('mysql://h', { module: module as never })).toThrow(/must be the "mysql2" package/)
    expect(() => mariadb('mysql://h', { module: module as never })).toThrow(/must be the "mariadb" package/)
  }
})

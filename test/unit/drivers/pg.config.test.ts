import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { InvalidOptionError } from '../../../src/contract/errors.ts'
import { resolveConfig } from '../../../src/drivers/pg/config.ts'
import { type PgConfig, pg } from '../../../src/drivers/pg/index.ts'

const ENV = { USER: 'me' }

const options = (config: unknown, env: Record<string, string> = ENV) => resolveConfig(config, env).options

describe('a URL', () => {
  const forms: [string, Record<string, unknown>][] = [
    ['postgres://', { host: 'localhost', port: 5432, user: 'me', database: 'me' }],
    ['postgresql://h', { host: 'h', port: 5432 }],
    ['POSTGRES://h', { host: 'h' }],
    ['postgres://h:5433', { host: 'h', port: 5433 }],
    ['postgres://:5433/db', { host: 'localhost', port: 5433, database: 'db' }],
    ['postgres://h/db', { host: 'h', database: 'db', user: 'me' }],
    ['postgres://u@h/db', { user: 'u', database: 'db' }],
    ['postgres://u@h', { user: 'u', database: 'u' }],
    ['postgres://u:p@h/db', { user: 'u', password: 'p' }],
    ['postgres://u:p:q@h/db', { user: 'u', password: 'p:q' }],
    ['postgres://u:p@q@h/db', { user: 'u', password: 'p@q', host: 'h' }],
    ['postgres://u%40x:%2F%3F%23%40%3A%25@h/db', { user: 'u@x', password: '/?#@:%' }],
    ['postgres://u:p#q@h/db', { password: 'p#q' }],
    ['postgres://u:%C3%A4@h/d%C3%A4', { password: 'ä', database: 'dä' }],
    ['postgres://[::1]:5433/db', { host: '::1', port: 5433 }],
    ['postgres://[fe80::1%25lo]/db', { host: 'fe80::1%lo' }],
    ['postgres:///db?host=/var/run', { host: '/var/run', database: 'db' }],
    ['postgres://u@/db?host=/var/run&port=5433', { host: '/var/run', port: 5433, user: 'u' }],
    ['postgres://%2Fvar%2Frun/db', { host: '/var/run', database: 'db' }],
    ['postgres://%2Fvar%2Frun:5433/db', { host: '/var/run', port: 5433 }],
    ['postgres://a/db?host=b', { host: 'b' }],
    ['postgres:///db?hostaddr=10.0.0.5', { host: '10.0.0.5' }],
    ['postgres://h/db?hostaddr=10.0.0.5', { host: 'h' }],
    ['postgres://h/a?dbname=b', { database: 'b' }],
    ['postgres://h/a?user=u%40x&password=p%26q', { user: 'u@x', password: 'p&q' }],
    ['postgres://h/a%2Fb', { database: 'a/b' }],
    ['postgres://h/a/b', { database: 'a/b' }],
    ['postgres://h?application_name=my+app', { application_name: 'my app' }],
    ['postgres://h?fallback_application_name=x', { application_name: 'x' }],
    ['postgres://h?options=-c%20geqo%3Doff', { options: '-c geqo=off' }],
    ['postgres://h?options=-c geqo=off', { options: '-c geqo=off' }],
    ['postgres://h?connect_timeout=3', { connectionTimeoutMillis: 3000 }],
    ['postgres://h?keepalives=0', { keepAlive: false }],
    ['postgres://h?keepalives_idle=20', { keepAliveInitialDelayMillis: 20_000, keepAlive: true }],
    ['postgres://h?statement_timeout=5000&foo=bar', { statement_timeout: '5000', foo: 'bar' }],
    ['postgres://h?channel_binding=require', { enableChannelBinding: true }],
    ['postgres://h?a=1&&a=2&', { a: '2' }],
    ['postgres://h?target_session_attrs=any', { host: 'h' }],
  ]
  test.each(forms)('%s', (url, expected) => {
    expect(options(url)).toMatchObject(expected)
  })

  test('may be a URL object', () => {
    const url = new URL('postgres://u:p%40ss@h/db')
    url.searchParams.set('application_name', 'a b')
    expect(options(url)).toMatchObject({ user: 'u', password: 'p@ss', application_name: 'a b' })
  })

  test('may come as connectionString, which wins over the other fields', () => {
    const config = { connectionString: 'postgres://u@h/db', host: 'other', port: 7 }
    expect(options(config)).toMatchObject({ host: 'h', user: 'u', port: 7 })
  })

  test.each([
    ['http://u:S3cret@h/db', /does not begin with postgres:\/\//],
    ['u:S3cret@h/db', /does not begin with/],
    ['postgres:/h/S3cret', /does not begin with/],
    ['postgres://u:S3cret@a,b/db', /several hosts/],
    ['postgres://u:S3cret@a:1,b:2/db', /several hosts/],
    ['postgres://u:S3cret@h/db?host=a,b', /several hosts/],
    ['postgres://u:S3cret@h/db?port=1,2', /"port" must be a whole number/],
    ['postgres://u:S3cret@h:x/db', /"port"/],
    ['postgres://u:S3cret@h:0/db', /"port"/],
    ['postgres://u:S3cret@h:65536/db', /"port"/],
    ['postgres://u:S3cret@h:-1/db', /"port"/],
    ['postgres://u:S3cret@h:5432:1/db', /more than one ":"/],
    ['postgres://u:S3cret@::1/db', /more than one ":".*\[brackets\]/],
    ['postgres://u:S3cret@[::1/db', /IPv6/],
    ['postgres://u:S3cret%zz@h/db', /malformed "%" in its password/],
    ['postgres://u:S3cret%ff@h/db', /malformed "%" in its password/],
    ['postgres://u%:S3cret@h/db', /malformed "%" in its user name/],
    ['postgres://u:S3cret@h%/db', /malformed "%" in its host/],
    ['postgres://u:S3cret@h/%', /malformed "%" in its database name/],
    ['postgres://u:S3cret@h/db?x=%', /malformed "%" in its parameter/],
    ['postgres://u:S3cret%00@h/db', /zero byte/],
    ['postgres://u:S3cret@h/db\n', /line break/],
    ['postgres://u:S3c/ret@h/db', /"@" behind the first "\/".*must be written as %2F/],
    ['postgres://u:12/S3cret@h/db', /"@" behind the first "\/"/],
    ['postgres://u:S3cret?more@h/db', /parameter whose name is not a word.*%3F/],
    ['postgres://u:12?S3cret@h/db?sslmode=require', /parameter whose name is not a word/],
    ['postgres://u:S3cret@h/db?sslmode', /parameter without a value/],
    ['postgres://u:S3cret@h/db?sslmode=maybe', /"sslmode" is "maybe": it must be "disable" or/],
    ['postgres://u:S3cret@h/db?sslmode=verify-ca', /without "sslrootcert"/],
    ['postgres://u:S3cret@h/db?sslmode=require&sslrootcert=system', /must be "verify-full"/],
    ['postgres://u:S3cret@h/db?sslnegotiation=direct&sslmode=prefer', /must then be "require"/],
    ['postgres://u:S3cret@h/db?connect_timeout=soon', /"connect_timeout" is "soon": .*seconds/],
    ['postgres://u:S3cret@h/db?target_session_attrs=read-write', /only "any"/],
    ['postgres://u:S3cret@h/db?pool.max=5', /"pool.max" in the URL is for the pool/],
  ])('%s is refused, and the password never shown', (url, message) => {
    let error: unknown
    try {
      pg(url)
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(InvalidOptionError)
    expect((error as Error).message).toMatch(message)
    expect(
      inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }).split('\n    at ')[0],
    ).not.toMatch(/S3c|ret@/)
  })
})

describe('a config', () => {
  test('is passed on to pg, with what it does not know', () => {
    const types = { getTypeParser: () => String }
    const password = () => 'x'
    const config = { host: 'h', password, statement_timeout: 5, keepAlive: false, query_timeout: 7, types }
    expect(options(config)).toMatchObject(config)
  })

  test('is copied: what the user changes later has no effect', () => {
    const config = { host: 'h', port: 1 }
    const target = resolveConfig(config, ENV)
    config.port = 2
    expect(target.options.port).toBe(1)
  })

  test('the application is called rockpool unless somebody says otherwise', () => {
    expect(options({}).application_name).toBe('rockpool')
    expect(options({}, { ...ENV, PGAPPNAME: 'env' }).application_name).toBe('env')
    expect(options({ application_name: 'mine' }, { ...ENV, PGAPPNAME: 'env' }).application_name).toBe('mine')
  })

  test("pipelining is not the user's to switch on: the pool decides when a connection is shared", () => {
    expect(options({ pipeline: true }).pipeline).toBe(false)
    expect(options('postgres://h?pipeline=true').pipeline).toBe(false)
  })

  test.each([
    [5, 'config'],
    [null, 'config'],
    [['postgres://h'], 'config'],
    [{ connectionString: 5 }, 'connectionString'],
    [{ host: ['a', 'b'] }, 'host'],
    [{ host: 'a,b' }, 'host'],
    [{ user: 5 }, 'user'],
    [{ database: {} }, 'database'],
    [{ port: 'x' }, 'port'],
    [{ port: 1.5 }, 'port'],
    [{ port: Number.NaN }, 'port'],
    [{ port: 70_000 }, 'port'],
    [{ password: 12345678 }, 'password'],
    [{ password: { secret: 'S3cret' } }, 'password'],
    [{ ssl: 'yes' }, 'sslmode'],
  ])('%j is refused', (config, option) => {
    const refused = () => pg(config as PgConfig)
    expect(refused).toThrow(InvalidOptionError)
    expect(refused).toThrow(expect.objectContaining({ option, code: 'INVALID_OPTION' }))
    expect(refused).not.toThrow(/S3cret|12345678/)
  })

  test('a module that is not pg is refused', () => {
    expect(() => pg('postgres://h', { module: {} as never })).toThrow(/must be the "pg" package/)
  })

  test('nothing of the driver shows the password', () => {
    const driver = pg('postgres://u:S3cret@h/db')
    expect(inspect(driver, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toMatch('S3cret')
  })
})

describe('the environment', () => {
  test('has an address for who names no host', () => {
    const env = { ...ENV, PGHOSTADDR: '10.0.0.5' }
    expect(options('postgres:///db', env)).toMatchObject({ host: '10.0.0.5' })
    expect(options('postgres://h/db', env)).toMatchObject({ host: 'h' })
    expect(options('postgres:///db', { ...env, PGHOST: 'eh' })).toMatchObject({ host: 'eh' })
    expect(options('postgres:///db?hostaddr=10.0.0.6', { ...env, PGHOST: 'eh' })).toMatchObject({
      host: '10.0.0.6',
    })
  })

  const env = {
    PGHOST: 'eh',
    PGPORT: '5999',
    PGUSER: 'eu',
    PGDATABASE: 'ed',
    PGPASSWORD: 'ep',
    PGOPTIONS: '-c a=b',
    PGCONNECT_TIMEOUT: '4',
  }

  test('says what the config and the URL leave open', () => {
    const all = { host: 'eh', port: 5999, user: 'eu', database: 'ed', password: 'ep', options: '-c a=b' }
    expect(options(undefined, env)).toMatchObject({ ...all, connectionTimeoutMillis: 4000 })
    expect(options('postgres://', env)).toMatchObject(all)
    expect(options({}, env)).toMatchObject(all)
  })

  test('is overruled by both', () => {
    const mine = { host: 'h', port: 1, user: 'u', database: 'd', password: 'p', options: '-c c=d' }
    expect(options({ ...mine, connectionTimeoutMillis: 7 }, env)).toMatchObject({
      ...mine,
      connectionTimeoutMillis: 7,
    })
    expect(options('postgres://u:p@h:1/d?options=-c c=d', env)).toMatchObject(mine)
  })

  test('with nonsense in it is refused', () => {
    expect(() => options({}, { PGPORT: 'x' })).toThrow(InvalidOptionError)
    expect(() => options({}, { PGSSLMODE: 'x' })).toThrow(/"sslmode" is "x"/)
  })

  test('empty values count as missing', () => {
    expect(options({ host: '', user: undefined }, { ...ENV, PGHOST: '' })).toMatchObject({
      host: 'localhost',
      user: 'me',
    })
  })
})

describe('TLS', () => {
  const tls = async (config: unknown, env: Record<string, string> = ENV) => {
    const plan = resolveConfig(config, env).tls
    return { attempts: plan.attempts, options: await plan.options() }
  }
  const unverified = { rejectUnauthorized: false }

  test.each([
    ['postgres://h', [false], false],
    ['postgres://h?sslmode=disable', [false], false],
    ['postgres://h?sslmode=allow', [false, true], unverified],
    ['postgres://h?sslmode=prefer', [true, false], unverified],
    ['postgres://h?sslmode=require', [true], unverified],
    ['postgres://h?sslmode=no-verify', [true], unverified],
    ['postgres://h?sslmode=verify-full', [true], {}],
    ['postgres://h?sslrootcert=system', [true], {}],
    ['postgres://h?sslnegotiation=direct', [true], {}],
    ['postgres://h?ssl=true', [true], {}],
    ['postgres://h?ssl=1', [true], {}],
    ['postgres://h?ssl=false', [false], false],
    ['postgres://h?ssl=0', [false], false],
    ['postgres://h?ssl=no-verify', [true], unverified],
    ['postgres://h?sslmode=verify-full&ssl_min_protocol_version=TLSv1.3', [true], { minVersion: 'TLSv1.3' }],
  ])('%s', async (url, attempts, options) => {
    expect(await tls(url)).toEqual({ attempts, options })
  })

  test('a root certificate is read; "require" then checks it, but not the name of the host', async () => {
    const here = import.meta.filename
    const required = await tls({ host: 'h', sslmode: 'require', sslrootcert: here })
    expect(required.options).toEqual({ ca: expect.any(String), checkServerIdentity: expect.any(Function) })
    const full = await tls(
      `postgres://h?sslmode=verify-full&sslrootcert=${here}&sslcert=${here}&sslkey=${here}`,
    )
    expect(full.options).toEqual({
      ca: expect.any(String),
      cert: expect.any(String),
      key: expect.any(String),
    })
  })

  test('a file that cannot be read is named', async () => {
    await expect(tls('postgres://h?sslrootcert=/no/such.crt')).rejects.toThrow(
      /"sslrootcert" cannot be read: .*no\/such/,
    )
  })

  test('sslmode is ignored on a unix socket, as libpq has it', async () => {
    expect((await tls('postgres:///db?host=/tmp&sslmode=require')).attempts).toEqual([false])
  })

  test('an ssl object is passed on as a copy, with the key that pg would hide in it', async () => {
    const ssl = { ca: 'x' }
    Object.defineProperty(ssl, 'key', { value: 'k', enumerable: false })
    const { options } = await tls({ host: 'h', ssl })
    expect(options).toEqual({ ca: 'x', key: 'k' })
    expect(options).not.toBe(ssl)
  })

  test('PGSSLMODE counts where nothing else was said', async () => {
    const env = { ...ENV, PGSSLMODE: 'require' }
    expect((await tls({}, env)).options).toEqual(unverified)
    expect((await tls({ ssl: false }, env)).attempts).toEqual([false])
    expect((await tls('postgres://h?sslmode=disable', env)).attempts).toEqual([false])
  })
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pgModule from 'pg'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { DriverMissingError } from '../../../src/contract/errors.ts'
import { type PgConfig, pg } from '../../../src/drivers/pg/index.ts'
import { createAuthority, createCertificate } from '../../support/certificate.ts'
import { ask, connectionCount, eventually, startPostgres, startSilentServer } from '../../support/postgres.ts'

const authority = createAuthority('the right authority')
const tls = createCertificate(authority, ['localhost', '127.0.0.1'])
const otherName = createCertificate(authority, ['elsewhere.example'])
const PASSWORD = 'p@ss/w:rd ?#%'
const server = await startPostgres({
  password: PASSWORD,
  maxConnections: 12,
  unixSocket: true,
  tls,
  hba: [
    'hostssl all tls_only all trust',
    'hostnossl all plain_only all trust',
    'host all tls_only,plain_only all reject',
  ],
  settings: { superuser_reserved_connections: 3 },
})
await ask(server, 'create role tls_only login')
await ask(server, 'create role plain_only login')
await ask(server, `create role limited login password 'x' connection limit 0`)
const { host, port, user } = server
const authorityFile = join(server.folder, 'authority.crt')
writeFileSync(authorityFile, authority.cert)
const otherAuthorityFile = join(server.folder, 'other.crt')
writeFileSync(otherAuthorityFile, createAuthority('another authority').cert)

const never = new AbortController().signal

/** What the server says of a connection made this way. */
async function look(config?: string | URL | PgConfig) {
  const driver = pg(config, { module: pgModule })
  const client = await driver.connect({ signal: never })
  try {
    const { rows } = await driver.query(
      client,
      `select current_user as user, current_database() as database, application_name, coalesce(ssl, false) as ssl,
        client_port = -1 as unix, current_setting('work_mem') as work_mem
        from pg_stat_activity left join pg_stat_ssl using (pid) where pid = pg_backend_pid()`,
      [],
      {},
    )
    return rows[0]
  } finally {
    await driver.close(client)
  }
}

/** How a connect fails, and what that means. */
async function failure(config: string | PgConfig, signal = never) {
  const driver = pg(config)
  try {
    const client = await driver.connect({ signal })
    await driver.close(client)
    return { kind: 'connected', error: undefined }
  } catch (error) {
    return { kind: driver.classify?.(error, 'connect'), error: error as Error & { code?: string } }
  }
}

afterEach(async () => {
  vi.unstubAllEnvs()
  await eventually(async () => expect(await connectionCount(server)).toBe(0))
})

describe('a connection is opened', () => {
  test('by URL', async () => {
    expect(await look(server.url())).toMatchObject({
      user,
      database: 'postgres',
      application_name: 'rockpool',
      ssl: false,
    })
    expect(await look(new URL(server.url('template1')))).toMatchObject({ database: 'template1' })
    expect(await look(`${server.url()}?application_name=mine&options=-c%20work_mem%3D5MB`)).toMatchObject({
      application_name: 'mine',
      work_mem: '5MB',
    })
  })

  test('by config', async () => {
    const config = { host, port, user, password: PASSWORD, database: 'postgres', application_name: 'mine' }
    expect(await look(config)).toMatchObject({ user, application_name: 'mine' })
  })

  test('over a unix socket', async () => {
    const folder = encodeURIComponent(server.socketFolder ?? '')
    const login = `${user}:${encodeURIComponent(PASSWORD)}`
    expect(await look(`postgres://${login}@/postgres?host=${folder}&port=${port}`)).toMatchObject({
      unix: true,
    })
    expect(await look(`postgres://${login}@${folder}:${port}/postgres`)).toMatchObject({ unix: true })
    expect(await look(`postgres://${login}@${folder}:${port}/postgres?sslmode=require`)).toMatchObject({
      ssl: false,
    })
  })

  describe('by the environment', () => {
    beforeEach(() => {
      vi.stubEnv('PGHOST', host)
      vi.stubEnv('PGPORT', String(port))
      vi.stubEnv('PGUSER', user)
      vi.stubEnv('PGPASSWORD', PASSWORD)
      vi.stubEnv('PGDATABASE', 'template1')
      vi.stubEnv('PGAPPNAME', 'from env')
    })

    test('alone', async () => {
      expect(await look()).toMatchObject({ user, database: 'template1', application_name: 'from env' })
      expect(await look('postgres://')).toMatchObject({ database: 'template1' })
    })

    test('for what the URL leaves open', async () => {
      expect(await look('postgres:///postgres')).toMatchObject({
        database: 'postgres',
        application_name: 'from env',
      })
    })

    test('with TLS as PGSSLMODE says', async () => {
      vi.stubEnv('PGSSLMODE', 'require')
      expect(await look()).toMatchObject({ ssl: true })
    })
  })

  test('with a password that is asked for every connect', async () => {
    const password = vi.fn(async () => PASSWORD)
    const driver = pg({ host, port, user, password })
    const clients = [await driver.connect({ signal: never }), await driver.connect({ signal: never })]
    expect(password).toHaveBeenCalledTimes(2)
    for (const client of clients) await driver.close(client)
  })

  test('of the type of the module that was passed', async () => {
    const driver = pg(server.url(), { module: pgModule })
    const client: pgModule.Client = await driver.connect({ signal: never })
    expect(client).toBeInstanceOf(pgModule.Client)
    await driver.close(client)
  })

  test('with pg loaded by ourselves when none was passed', async () => {
    const driver = pg(server.url())
    const client = await driver.connect({ signal: never })
    await driver.close(client)
    expect(client).toBeInstanceOf(pgModule.Client)
  })
})

describe('TLS', () => {
  const by = (name: string, query: string, role = 'tls_only') =>
    `postgres://${role}@${name}:${port}/postgres?${query}`

  test.each([
    ['require', 'sslmode=require'],
    ['prefer', 'sslmode=prefer'],
    ['allow, when the server refuses us without', 'sslmode=allow'],
    ['verify-ca, whatever the name', `sslmode=verify-ca&sslrootcert=${authorityFile}`],
    ['require with a root certificate', `sslmode=require&sslrootcert=${authorityFile}`],
    ['verify-full', `sslmode=verify-full&sslrootcert=${authorityFile}`],
    ['direct negotiation', `sslnegotiation=direct&sslrootcert=${authorityFile}`],
  ])('protects the connection: %s', async (_, query) => {
    expect(await look(by('127.0.0.1', query))).toMatchObject({ ssl: true })
    expect(await look(by('localhost', query))).toMatchObject({ ssl: true })
  })

  test('"prefer" does without where the server insists, "require" does not', async () => {
    expect(await look(by(host, 'sslmode=prefer', 'plain_only'))).toMatchObject({ ssl: false })
    expect(await failure(by(host, 'sslmode=require', 'plain_only'))).toMatchObject({
      kind: 'permanent',
      error: { code: '28000' },
    })
  })

  test('"allow" does without where it can', async () => {
    expect(await look(by(host, 'sslmode=allow', 'plain_only'))).toMatchObject({ ssl: false })
  })

  test.each([
    ['verify-ca', `sslmode=verify-ca&sslrootcert=${otherAuthorityFile}`],
    ['verify-full', `sslmode=verify-full&sslrootcert=${otherAuthorityFile}`],
    ['require with a root certificate', `sslmode=require&sslrootcert=${otherAuthorityFile}`],
    ['the authorities of Node', 'sslmode=verify-full'],
  ])('a wrong authority is refused for good: %s', async (_, query) => {
    const { kind, error } = await failure(by(host, query))
    expect(kind).toBe('permanent')
    expect(error?.code).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED|UNABLE_TO_GET_ISSUER/)
  })

  test('an ssl object of the config counts as it is', async () => {
    const config = { host, port, user: 'tls_only', database: 'postgres' }
    expect(await look({ ...config, ssl: { ca: authority.cert } })).toMatchObject({ ssl: true })
    expect(await failure({ ...config, ssl: true })).toMatchObject({ kind: 'permanent' })
    expect(await look({ ...config, ssl: { rejectUnauthorized: false } })).toMatchObject({ ssl: true })
  })

  test('a missing certificate file is a permanent failure that names it', async () => {
    const { kind, error } = await failure(by(host, 'sslrootcert=/no/such.crt'))
    expect(kind).toBe('permanent')
    expect(error?.message).toMatch('/no/such.crt')
  })
})

describe('a server whose certificate is for another name', async () => {
  const misnamed = await startPostgres({ tls: otherName })
  const url = (query: string) =>
    `postgres://postgres@localhost:${misnamed.port}/postgres?${query}&sslrootcert=${authorityFile}`

  test('is refused by verify-full for good, and not by verify-ca', async () => {
    expect(await failure(url('sslmode=verify-full'))).toMatchObject({
      kind: 'permanent',
      error: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
    expect(await look(url('sslmode=verify-ca'))).toMatchObject({ ssl: true })
  })
})

describe('a server without TLS', async () => {
  const plain = await startPostgres()
  const url = (mode: string) => `${plain.url()}?sslmode=${mode}`

  test('is refused by "require" for good, and taken by "prefer"', async () => {
    expect(await failure(url('require'))).toMatchObject({ kind: 'permanent' })
    expect(await look(url('prefer'))).toMatchObject({ ssl: false })
  })
})

describe('a connect fails', () => {
  test('for good with a wrong password', async () => {
    const { kind, error } = await failure({ host, port, user, password: 'wrong' })
    expect(kind).toBe('permanent')
    expect(error?.code).toBe('28P01')
  })

  test('for good without a password', async () => {
    vi.stubEnv('PGPASSFILE', join(server.folder, 'none'))
    expect(await failure({ host, port, user })).toMatchObject({ kind: 'permanent' })
  })

  test('for good with an unknown database, a setting that does not exist, a role that may not', async () => {
    expect(await failure(server.url('no_such'))).toMatchObject({
      kind: 'permanent',
      error: { code: '3D000' },
    })
    expect(await failure(`${server.url()}?options=-c%20no_such%3D1`)).toMatchObject({
      kind: 'permanent',
      error: { code: '42704' },
    })
    expect(await failure(`postgres://nobody_at_all:x@${host}:${port}/postgres`)).toMatchObject({
      kind: 'permanent',
    })
  })

  test('as exhausted when the server or the role has too many', async () => {
    expect(await failure(`postgres://limited:x@${host}:${port}/postgres`)).toMatchObject({
      kind: 'exhausted',
      error: { code: '53300' },
    })
    const driver = pg(server.url(), { module: pgModule })
    const clients: pgModule.Client[] = []
    // Until there is no place, however many there are: who has just been refused may still have his.
    const occupyAll = async () => {
      while (clients.length < 20) clients.push(await driver.connect({ signal: never }))
    }
    const refusal = await occupyAll().catch((error) => error)
    for (const client of clients) await driver.close(client)
    expect(refusal).toMatchObject({ code: '53300' })
    expect(driver.classify?.(refusal, 'connect')).toBe('exhausted')
  })

  test('for now when nobody listens, there is no such name, or the password service is down', async () => {
    expect(await failure('postgres://u@127.0.0.1:1/db')).toMatchObject({
      kind: 'fatal',
      error: { code: 'ECONNREFUSED' },
    })
    expect(await failure('postgres://u@no-such-host.invalid/db')).toMatchObject({ kind: 'fatal' })
    const down = new Error('no token')
    const password = () => Promise.reject(down)
    expect(await failure({ host, port, user, password })).toEqual({ kind: 'fatal', error: down })
    expect(await failure(`postgres://u@/db?host=${server.folder}`)).toMatchObject({
      kind: 'fatal',
      error: { code: 'ENOENT' },
    })
  })

  test('after the time that the user gave it', async () => {
    const silent = await startSilentServer()
    const { kind, error } = await failure({ host, port: silent.port, user, connectionTimeoutMillis: 50 })
    expect(kind).toBe('fatal')
    expect(error?.message).toMatch('timeout expired')
    await eventually(() => expect(silent.sockets.size).toBe(0))
  })

  test('when the server says nonsense', async () => {
    const silent = await startSilentServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    expect((await failure({ host, port: silent.port, user, connectionTimeoutMillis: 1_000 })).kind).toBe(
      'fatal',
    )
    await eventually(() => expect(silent.sockets.size).toBe(0))
  })

  test('with a word on how to install pg when it is missing', async () => {
    const { loadPackage } = await import('../../../src/drivers/load-package.ts')
    expect(() => loadPackage('pg-no-such')).toThrow(DriverMissingError)
    expect(() => loadPackage('pg-no-such')).toThrow(/npm install pg-no-such/)
  })
})

describe('an aborted connect', () => {
  test.each([
    ['that got no answer', '', undefined],
    ['that got no answer about TLS', '?sslmode=require', undefined],
    [
      'in the middle of a TLS handshake',
      '?sslmode=require',
      (socket: { write(text: string): void }) => socket.write('S'),
    ],
  ])('%s settles at once and leaves no socket', async (_, query, greet) => {
    const silent = await startSilentServer(greet)
    const abort = new AbortController()
    const connecting = failure(`postgres://u@127.0.0.1:${silent.port}/db${query}`, abort.signal)
    await eventually(() => expect(silent.sockets.size).toBe(1))
    await new Promise((resolve) => setTimeout(resolve, 20))
    const reason = new Error('enough')
    const startedAt = performance.now()
    abort.abort(reason)
    expect((await connecting).error).toBe(reason)
    expect(performance.now() - startedAt).toBeLessThan(20_000)
    await eventually(() => expect(silent.sockets.size).toBe(0))
  })

  test('while the password is being fetched settles as well', async () => {
    const abort = new AbortController()
    const password = () => {
      queueMicrotask(() => abort.abort())
      return new Promise<string>(() => undefined)
    }
    expect((await failure({ host, port, user, password }, abort.signal)).error?.name).toBe('AbortError')
  })

  test('that was aborted before opens nothing', async () => {
    const silent = await startSilentServer()
    expect((await failure(`postgres://u@127.0.0.1:${silent.port}/db`, AbortSignal.abort())).error?.name).toBe(
      'AbortError',
    )
    expect(silent.sockets.size).toBe(0)
  })

  test('at any moment of a real connect leaves no connection behind', async () => {
    for (let delay = 0; delay < 12; delay++) {
      const abort = new AbortController()
      const connecting = failure(server.url(), abort.signal)
      await new Promise((resolve) => setTimeout(resolve, delay))
      abort.abort()
      await connecting
    }
    await eventually(async () => expect(await connectionCount(server)).toBe(0))
  })
})

import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as dial, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import mariadbModule, { type Connection as Mariadb } from 'mariadb'
import mysqlCallbacks from 'mysql2'
import mysqlPromises from 'mysql2/promise'
import { afterAll, describe, expect, expectTypeOf, onTestFinished, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { mariadb } from '../../../src/drivers/mariadb/index.ts'
import type { MysqlConfig } from '../../../src/drivers/mysql-family/config.ts'
import { mysql2 } from '../../../src/drivers/mysql2/index.ts'
import { createAuthority, createCertificate } from '../../support/certificate.ts'
import { drivers, useMariadb } from '../../support/mysql-drivers.ts'
import { startSilentServer } from '../../support/postgres.ts'

const folder = mkdtempSync(join(tmpdir(), 'rockpool-tls-'))
chmodSync(folder, 0o755)
const authority = createAuthority('rockpool tests')
const certificate = createCertificate(authority, ['localhost', '127.0.0.1'])
const place = (name: string, content: string) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
const ca = place('ca.pem', authority.cert)
const used = useMariadb([
  `--ssl-ca=${ca}`,
  `--ssl-cert=${place('cert.pem', certificate.cert)}`,
  `--ssl-key=${place('key.pem', certificate.key)}`,
])
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const never = () => new AbortController().signal
const first = (result: { rows: Record<string, unknown>[] }) => Object.values(result.rows[0] ?? {})[0]

test("leases have the type of the user's own module", async () => {
  const url = used.server.url()
  const promises = createPool(mysql2(url, { module: mysqlPromises }))
  const callbacks = createPool(mysql2(url, { module: mysqlCallbacks }))
  const maria = createPool(mariadb(url, { module: mariadbModule }))
  const byUrl = createPool<mysqlPromises.Connection>(url)
  await promises.use(async ({ connection }) => {
    expectTypeOf(connection).toEqualTypeOf<mysqlPromises.Connection>()
    const [rows] = await connection.query('select 1 as one')
    expect(rows).toEqual([{ one: 1 }])
  })
  await callbacks.use(async ({ connection }) => {
    expectTypeOf(connection).toEqualTypeOf<mysqlCallbacks.Connection>()
    const rows = await new Promise((resolve) =>
      connection.query('select 1 as one', (_, found) => resolve(found)),
    )
    expect(rows).toEqual([{ one: 1 }])
  })
  await maria.use(async ({ connection }) => {
    expectTypeOf(connection).toEqualTypeOf<Mariadb>()
    expect(await connection.query('select 1 as one')).toEqual([{ one: 1 }])
  })
  await byUrl.use(async ({ connection }) => {
    const [rows] = await connection.query('select 1 as one')
    expect(rows).toEqual([{ one: 1 }])
  })
  for (const pool of [promises, callbacks, maria, byUrl]) await pool.close()
})

describe.each(drivers)('$name', ({ name, make }) => {
  async function answer(config: string | MysqlConfig, sql = 'select 1'): Promise<unknown> {
    const driver = make(config)
    const connection = await driver.connect({ signal: never() })
    try {
      return first(await driver.query(connection, sql, [], {}))
    } finally {
      await driver.close(connection)
    }
  }

  const { user, password } = { user: 'app', password: 'S3cret#' }
  const here = () => ({ host: used.server.host, port: used.server.port, user, password, database: 'app' })

  test('a password function is asked for every connect', async () => {
    let asked = 0
    const config = { ...here(), password: async () => (asked++ === 0 ? 'stale token' : password) }
    const driver = make(config)
    const error = await driver.connect({ signal: never() }).catch((thrown) => thrown)
    expect(driver.classify?.(error, 'connect')).toBe('permanent')
    await driver.close(await driver.connect({ signal: never() }))
    expect(asked).toBe(2)
  })

  test('a socket in the file system', async () => {
    const path = used.server.socket
    expect(Number(await answer(`mysql://app:S3cret%23@${encodeURIComponent(path)}/app`))).toBe(1)
    expect(Number(await answer({ socketPath: path, user, password }))).toBe(1)
  })

  test("a stream of the user's own", async () => {
    const { port, host } = used.server
    let made = 0
    const stream = () => {
      made++
      return dial(port, host)
    }
    const pool = createPool(make({ ...here(), host: 'nowhere.invalid', stream }), { max: 1 })
    expect(Number(first(await pool.query('select 1')))).toBe(1)
    await expect(pool.query('select sleep(10)', [], { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'QUERY_TIMEOUT',
    })
    await pool.query('select 1')
    await pool.close()
    expect(made, 'one more for each request to cancel').toBeGreaterThan(1)
    await expect.poll(() => used.overseer.sessions()).toBe(0)
  })

  test.each([
    ['ssl-mode=REQUIRED', 'localhost', true],
    [`ssl-mode=VERIFY_CA&ssl-ca=${ca}`, '127.0.0.1', true],
    [`ssl-mode=VERIFY_IDENTITY&ssl-ca=${ca}`, 'localhost', true],
    [`ssl-ca=${ca}`, 'localhost', true],
    ['ssl-mode=VERIFY_CA', 'localhost', false],
    ['ssl=true', 'localhost', false],
  ])('with %s, %s is trusted: %s', async (words, host, isTrusted) => {
    const url = `mysql://app:S3cret%23@${host}:${used.server.port}/app?${words}`
    const driver = make(url)
    if (!isTrusted) {
      const error = await driver.connect({ signal: never() }).catch((thrown) => thrown)
      expect(driver.classify?.(error, 'connect'), String(error)).toBe('permanent')
      return
    }
    const pool = createPool(driver, { max: 1, multiplex: 'off' })
    const cipher = await pool.query("show status like 'Ssl_cipher'")
    expect(String(cipher.rows[0]?.Value)).not.toBe('')
    const late = pool.query('select sleep(10)', [], { timeoutMs: 50 })
    await expect(late).rejects.toMatchObject({ code: 'QUERY_TIMEOUT' })
    await pool.query('select 1')
    const id = first(await pool.query('select connection_id()'))
    await used.overseer.kill(id)
    await expect.poll(() => pool.stats().closed.lost).toBe(1)
    await pool.close()
    await expect.poll(() => used.overseer.sessions()).toBe(0)
  })

  test('without a word about TLS there is none', async () => {
    const driver = make(here())
    const connection = await driver.connect({ signal: never() })
    const { rows } = await driver.query(connection, "show status like 'Ssl_cipher'", [], {})
    expect(rows[0]?.Value).toBe('')
    await driver.close(connection)
  })

  test('an aborted connect closes its socket at once, and tells the reason', async () => {
    const silent = await startSilentServer()
    const controller = new AbortController()
    const connecting = make({ ...here(), host: '127.0.0.1', port: silent.port }).connect({
      signal: controller.signal,
    })
    await expect.poll(() => silent.sockets.size).toBe(1)
    controller.abort(new Error('enough'))
    await expect(connecting).rejects.toThrow('enough')
    await expect.poll(() => silent.sockets.size).toBe(0)
  })

  test('an abort at any moment leaves nothing behind, and no error that nobody hears', async () => {
    const driver = make(here())
    for (let i = 0; i < 60; i++) {
      const controller = new AbortController()
      setTimeout(() => controller.abort(new Error('enough')), i / 8)
      await driver.connect({ signal: controller.signal }).then(
        (connection) => driver.close(connection),
        () => undefined,
      )
    }
    await expect.poll(() => used.overseer.sessions()).toBe(0)
  })

  test.each([
    ['hangs up', 'fatal', 20_000, (socket: Socket) => socket.destroy()],
    // What may be the beginning of a long packet ends with the time for the connect.
    ['speaks another protocol', 'fatal', 1_000, (socket: Socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')],
    ['has no room', 'exhausted', 20_000, (socket: Socket) => socket.end(TOO_MANY)],
  ] as const)(
    'a server that %s is an error of the connect and of nobody else',
    async (_, kind, limitMs, greet) => {
      const odd = await startSilentServer(greet)
      const signal = AbortSignal.timeout(limitMs)
      const driver = make({ ...here(), host: '127.0.0.1', port: odd.port })
      const error = await driver.connect({ signal }).catch((thrown) => thrown)
      expect(error).toBeInstanceOf(Error)
      expect(driver.classify?.(error, 'connect')).toBe(kind)
      await expect.poll(() => odd.sockets.size).toBe(0)
    },
  )

  test('options that the package refuses are not tried again', async () => {
    const driver = make({ ...here(), charset: 'nonsense' })
    const error = await driver.connect({ signal: never() }).catch((thrown) => thrown)
    expect(driver.classify?.(error, 'connect'), String(error)).toBe('permanent')
    expect(String(error)).not.toContain(password)
    await expect.poll(() => used.overseer.sessions()).toBe(0)
  })

  test('an idle pool lets the program end, where that was asked for', async () => {
    const src = fileURLToPath(new URL('../../../src/', import.meta.url))
    const program = `
      import { createPool } from '${src}create-pool.ts'
      import { ${name} } from '${src}drivers/${name}/index.ts'
      const pool = createPool(${name}(${JSON.stringify(used.server.url())}), { exitWhenIdle: true, min: 2 })
      await pool.query('select 1')
      console.log('idle')`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    child.stdout.on('data', (data) => (output += String(data)))
    const code = await new Promise((resolve) => child.once('exit', resolve))
    expect([code, output.trim()]).toEqual([0, 'idle'])
  })
})

/** The first packet of a server that is full. */
const TOO_MANY = (() => {
  const body = Buffer.concat([Buffer.of(0xff, 0x10, 0x04), Buffer.from('#08004Too many connections')])
  return Buffer.concat([Buffer.of(body.length, 0, 0, 0), body])
})()

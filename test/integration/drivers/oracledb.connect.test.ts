import type { Socket } from 'node:net'
import oraclePackage from 'oracledb'
import { expect, onTestFinished, test } from 'vitest'
import { createPool } from '../../../src/create-pool.ts'
import { oracledb } from '../../../src/drivers/oracledb/index.ts'
import { deadPort, startListener } from '../../support/oracle-listener.ts'

// The package itself, without a server: what a listener may do to those who knock.

const at = (port: number, more: object = {}) =>
  oracledb(
    {
      user: 'app',
      password: 'S3cret',
      connectString: `127.0.0.1:${port}/service`,
      connectTimeout: 1,
      ...more,
    },
    { module: oraclePackage as never },
  )
const open = (port: number, acquireTimeoutMs: number) => {
  const pool = createPool(at(port), { max: 2, acquireTimeoutMs })
  pool.on('error', () => undefined)
  onTestFinished(async () => void (await pool.close({ drainTimeoutMs: 0 })))
  return pool
}
const failure = (pool: ReturnType<typeof open>) =>
  pool.query('select 1 from dual').catch((error: unknown) => error)

test('a listener that does not know the service is a refusal, told at once', async () => {
  const listener = await startListener((socket) => socket.end(refusal(12514)))
  const error = await failure(open(listener.port, 10_000))
  expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'NJS-518' } })
})

test('a listener that has no handler left is out of room: tried again until the deadline', async () => {
  const listener = await startListener((socket) => socket.end(refusal(12516)))
  const pool = open(listener.port, 3_000)
  const error = (await failure(pool)) as Error
  expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT' })
  expect(at(0).classify?.(error.cause, 'connect')).toBe('exhausted')
})

test.each([
  ['is closed', async () => ({ port: await deadPort(), open: () => 0 })],
  ['hangs up', () => startListener((socket) => socket.resetAndDestroy())],
])('a port that %s is tried again until the deadline, and its error is the cause', async (_, start) => {
  const { port } = await start()
  const error = (await failure(open(port, 3_000))) as Error
  expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', phase: 'connect' })
  expect(at(0).classify?.(error.cause, 'connect')).toBe('fatal')
  expect(String(error.cause)).toMatch(/NJS-50[013]/)
})

test('a listener that accepts and says nothing is given up by connectTimeout, and its sockets are closed', async () => {
  const listener = await startListener(() => undefined)
  const driver = at(listener.port)
  const error = await driver
    .connect({ signal: new AbortController().signal })
    .catch((thrown: unknown) => thrown)
  expect(String(error)).toMatch(/NJS-510/)
  expect(driver.classify?.(error, 'connect')).toBe('fatal')
  await expect.poll(() => listener.open()).toBe(0)
})

test('a caller is told by its own deadline, whatever the package does', async () => {
  const listener = await startListener(() => undefined)
  const error = await failure(open(listener.port, 100))
  expect(error).toMatchObject({ code: 'ACQUIRE_TIMEOUT', phase: 'connect' })
})

test('no error shows the password', async () => {
  const listener = await startListener((socket) => socket.end(refusal(1017)))
  const error = (await failure(open(listener.port, 300))) as Error
  expect(JSON.stringify([error, error.message, String(error.cause)])).not.toContain('S3cret')
})

const openPooled = (port: number, acquireTimeoutMs: number) => {
  const drcp = { connectionClass: 'SHOP', purity: 'self', lingerMs: 0 }
  const pool = createPool(at(port, { drcp }), { maxIdle: 0, acquireTimeoutMs })
  pool.on('error', () => undefined)
  onTestFinished(async () => void (await pool.close({ drainTimeoutMs: 0 })))
  return pool
}

test('with DRCP the listener is asked for a session of the pool, of its class and purity', async () => {
  let asked = ''
  const listener = await startListener((socket: Socket) => {
    socket.once('data', (bytes) => {
      asked += bytes.toString('latin1')
      socket.end(refusal(12514))
    })
  })
  await failure(openPooled(listener.port, 10_000))
  expect(asked).toContain('(SERVER=pooled)')
  expect(asked).toMatch(/SHOP/)
})

test('with DRCP a connect may take its time: what the listener says in the end is what the caller hears', async () => {
  const listener = await startListener((socket) => setTimeout(() => socket.end(refusal(12514)), 50))
  const error = await failure(openPooled(listener.port, 10_000))
  expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'NJS-518' } })
})

/** TNS: length, checksum, packet type 4 (refuse), then reasons and the listener's text. */
function refusal(code: number): Buffer {
  const text = `(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR=${code})(ERROR_STACK=(ERROR=(CODE=${code})(EMFI=4))))`
  const head = Buffer.alloc(12)
  head.writeUInt16BE(12 + text.length, 0)
  head[4] = 4
  head[8] = 1
  head.writeUInt16BE(text.length, 10)
  return Buffer.concat([head, Buffer.from(text)])
}

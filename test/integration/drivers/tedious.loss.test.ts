import { Request } from 'tedious'
import { expect, onTestFinished, test } from 'vitest'
import { tdsErrors } from '../../../src/testing/index.ts'
import { eventually } from '../../support/postgres.ts'
import { delay } from '../../support/sqlserver-subject.ts'
import { poolOn, useTdsServer } from '../../support/tedious.ts'

const used = useTdsServer()
const first = (result: { rows: Record<string, unknown>[] }) => Object.values(result.rows[0] ?? {})[0]
const runs = (count: number) =>
  eventually(() =>
    expect(used.server.log.filter(({ says }) => says.startsWith('waitfor'))).toHaveLength(count),
  )

test('sockets that die under statements end each with a ConnectionLostError, and free their places', async () => {
  const { pool } = poolOn(used.server, { max: 5 })
  const running = Array.from({ length: 5 }, () => pool.query(delay(60_000)).catch((error) => error))
  await runs(5)
  used.server.cut()
  for (const error of await Promise.all(running))
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', executed: 'unknown' })
  expect(first(await pool.query('select 1 as one'))).toBe(1)
  expect(pool.stats()).toMatchObject({ leased: 0, closed: { lost: 5 } })
})

test('sockets that die while idle are noticed, without a statement to find out', async () => {
  const { pool } = poolOn(used.server, { max: 3, validateAfterIdleMs: Number.POSITIVE_INFINITY })
  for (const lease of await Promise.all([1, 2, 3].map(() => pool.acquire()))) lease.release()
  expect(pool.stats().idle).toBe(3)
  used.server.cut()
  await eventually(() => expect(pool.stats().total).toBe(0))
  expect(first(await pool.query('select 1 as one'))).toBe(1)
})

test('a socket that dies at COMMIT leaves it open whether it has committed', async () => {
  const { pool } = poolOn(used.server)
  await pool.query('create table t (id int primary key)')
  const work = pool.transaction(async (tx) => {
    await tx.query('insert into t values (1)')
    used.server.latencyMs = 60_000
    void eventually(() => expect(used.server.log.at(-1)?.says).toBe('commit')).then(() => used.server.cut())
  })
  await expect(work).rejects.toMatchObject({ code: 'COMMIT_UNKNOWN' })
  used.server.latencyMs = 0
  expect(first(await pool.query('select count(*) as n from t'))).toBe(0)
})

test('a socket that dies under a stream ends it with an error', async () => {
  const { pool } = poolOn(used.server)
  const read = async () => {
    let seen = 0
    for await (const _ of pool.stream('select value from generate_series(1, 10000000)', [], { batch: 5 }))
      if (++seen === 50) used.server.cut()
  }
  await expect(read()).rejects.toThrow()
  expect(first(await pool.query('select 1 as one'))).toBe(1)
})

test('a socket that ends while its last answer is still read ends nothing but the statement', async () => {
  const { pool } = poolOn(used.server)
  const uncaught: unknown[] = []
  const note = (error: unknown) => uncaught.push(error)
  process.on('uncaughtException', note)
  onTestFinished(() => void process.off('uncaughtException', note))
  const lease = await pool.acquire()
  const request = new Request('select value from generate_series(1, 50)', () => {})
  request.once('row', () => {
    const { socket } = lease.connection as unknown as { socket: { emit(event: 'end'): void } }
    socket.emit('end')
  })
  lease.connection.execSqlBatch(request)
  await eventually(() => expect(pool.stats().closed.lost).toBe(1))
  expect(first(await pool.query('select 1 as one'))).toBe(1)
  expect(uncaught).toEqual([])
})

test('logins that are cut off or refused for a moment are tried again', async () => {
  const { pool } = poolOn(used.server)
  used.server.refusals.push('reset', tdsErrors.tooMany(), 'reset')
  expect(first(await pool.query('select 1 as one'))).toBe(1)
  expect(pool.stats().connectFailed).toBe(3)
})

test('a refused login has the words of the server as its cause', async () => {
  const { pool } = poolOn(used.server, {}, { password: 'S3cret' })
  const error = await pool.query('select 1').catch((error) => error)
  expect(error).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ELOGIN' } })
  expect(error.cause.message).toBe("Login failed for user 'sa'.")
  expect(JSON.stringify(error) + String(error.stack)).not.toMatch(/S3cret/)
})

test('a replica that refuses to write is left, and the error kept', async () => {
  const { pool } = poolOn(used.server)
  await pool.query('create table t (id int primary key)')
  used.server.isReadOnly = true
  await expect(pool.query('insert into t values (1)')).rejects.toMatchObject({ number: 3906 })
  await eventually(() => expect(pool.stats().closed.stale).toBe(1))
})

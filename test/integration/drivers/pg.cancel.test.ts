import { expect, test } from 'vitest'
import { cancel } from '../../../src/drivers/pg/cancel.ts'
import type { PgClient } from '../../../src/drivers/pg/client.ts'
import { createAuthority, createCertificate } from '../../support/certificate.ts'
import { Edge } from '../../support/edge.ts'
import { pgDriver } from '../../support/pg-driver.ts'
import { ask, eventually, startPostgres, startSilentServer } from '../../support/postgres.ts'

const authority = createAuthority('us')
const server = await startPostgres({ tls: createCertificate(authority, ['localhost']), unixSocket: true })

const ways = {
  'over TCP': server.url(),
  'with TLS, as the connection itself': {
    host: 'localhost',
    port: server.port,
    user: server.user,
    database: 'postgres',
    ssl: { ca: authority.cert },
  },
  'over a unix socket': {
    host: server.socketFolder,
    port: server.port,
    user: server.user,
    database: 'postgres',
  },
}

test.each(Object.entries(ways))('a cancel stops the statement: %s', async (_, config) => {
  const { driver, open } = pgDriver(config)
  const { client, query } = await open()
  const sleeping = query('select pg_sleep(10)').catch((error) => error)
  await eventually(async () => expect(await activeCount()).toBe(1))
  await driver.cancel(client)
  expect(await sleeping).toMatchObject({ code: '57014' })
  expect(driver.isDirty(client)).toBe(false)
})

/**
 * The dangerous moment is a statement that ends while its cancel is on the way. So each round gives the cancel a
 * statement that takes about as long as it does, and sends the next statement as soon as both are over.
 */
test('of a thousand cancels none hits another statement', { timeout: 180_000 }, async () => {
  const { driver, open } = pgDriver(server.url())
  const lanes = await Promise.all([open(), open()])
  let hits = 0
  let misses = 0
  await Promise.all(
    lanes.map(async ({ client, query }) => {
      const edge = new Edge()
      for (let round = 0; round < 500; round++) {
        const victim = query(`select pg_sleep(${edge.ms / 1_000})`).then(
          () => {
            misses++
            edge.cameOut('first')
          },
          (error) => {
            expect(error.code).toBe('57014')
            hits++
            edge.cameOut('last')
          },
        )
        await Promise.all([victim, driver.cancel(client)])
        // Long enough to be caught by whatever is still on its way.
        await query('select count(*) from generate_series(1, 2000)')
        await query('begin; select pg_sleep(0.0002); commit')
      }
    }),
  )
  expect(hits + misses).toBe(1000)
  // Otherwise the test has not been near the moment that it is about.
  expect(Math.min(hits, misses)).toBeGreaterThan(20)
})

test('a cancel with nothing to cancel does nothing', async () => {
  const { driver, open } = pgDriver(server.url())
  const { client, query } = await open()
  for (let i = 0; i < 20; i++) {
    await driver.cancel(client)
    expect((await query('select 1 as a')).rows).toEqual([{ a: 1 }])
  }
})

test('a cancel sent in the same moment as the statement still stops it', async () => {
  const { driver, open } = pgDriver(server.url())
  const { client, query } = await open()
  for (let i = 0; i < 50; i++) {
    const sleeping = query('select pg_sleep(10)').catch((error) => error)
    await driver.cancel(client)
    expect(await sleeping).toMatchObject({ code: '57014' })
  }
})

test('a statement that does not listen is left alone after a while', async () => {
  const { driver, open } = pgDriver(server.url())
  const { client, query, pid } = await open()
  const deaf = query(`do $$ begin
    loop
      begin perform pg_sleep(60); exception when query_canceled then null; end;
    end loop; end $$`).catch((error) => error)
  // Before it sleeps, it would still listen.
  const sleeps = `select 1 from pg_stat_activity where wait_event = 'PgSleep'`
  await eventually(async () => expect(await ask(server, sleeps)).toHaveLength(1))
  await cancel(client as unknown as PgClient, 2_000)
  expect(driver.isDirty(client)).toBe(true)
  await ask(server, 'select pg_terminate_backend($1)', [pid])
  expect(await deaf).toMatchObject({ code: '57P01' })
})

test('a reset sent with a cancel on its way waits for it', async () => {
  const { driver, open } = pgDriver(server.url())
  const { client, query } = await open()
  for (let i = 0; i < 20; i++) {
    await driver.begin(client, {})
    const sleeping = query('select pg_sleep(10)').catch((error) => error)
    const cancelling = driver.cancel(client)
    await driver.reset(client, 'full')
    expect(driver.isDirty(client)).toBe(false)
    expect(await sleeping).toMatchObject({ code: '57014' })
    await cancelling
  }
})

test('a cancel on a closed connection is over at once', async () => {
  const { driver, open } = pgDriver(server.url())
  const { client, close } = await open()
  await close()
  await driver.cancel(client)
})

test('a cancel that cannot leave resolves: it cannot hit anything', async () => {
  const { driver, open } = pgDriver(server.url())
  const { client, query } = await open()
  const running = query('select pg_sleep(10)').catch((error) => error)
  await server.stop({ mode: 'kill' })
  await driver.cancel(client)
  expect(driver.classify(await running, 'statement')).toBe('fatal')
  await server.start()
})

test('a cancel whose fate is unknown rejects, and spoils the connection', async () => {
  // Lets everybody in, and answers nothing else.
  const silent = await startSilentServer((socket) => {
    socket.once('data', (data) => {
      if (data.length === 16) return
      socket.write(Buffer.from('520000000800000000', 'hex'))
      socket.write(Buffer.from('4b0000000c0000000100000002', 'hex'))
      socket.write(Buffer.from('5a0000000549', 'hex'))
    })
  })
  const { driver, open } = pgDriver({ host: '127.0.0.1', port: silent.port, user: 'u' })
  const { client, query } = await open()
  expect(driver.isDirty(client)).toBe(false)
  const running = query('select 1').catch((error) => error)
  await expect(cancel(client as unknown as PgClient, 2_000)).rejects.toThrow('may still arrive')
  expect(driver.isDirty(client)).toBe(true)
  await expect(driver.reset(client, 'rollback')).rejects.toThrow('may still arrive')
  client.connection.stream.destroy()
  expect(driver.classify(await running, 'statement')).toBe('fatal')
})

async function activeCount(): Promise<number> {
  const sql = `select pid from pg_stat_activity where state = 'active' and application_name = 'rockpool'`
  return (await ask(server, sql)).length
}

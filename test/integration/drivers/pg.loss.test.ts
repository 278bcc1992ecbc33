import { describe, expect, test } from 'vitest'
import { pgDriver } from '../../support/pg-driver.ts'
import { ask, connectionCount, eventually, startPostgres, startSilentServer } from '../../support/postgres.ts'

const server = await startPostgres()
const { driver, open } = pgDriver(server.url())
const terminate = (pid: number) => ask(server, 'select pg_terminate_backend($1)', [pid])

/** Whatever reaches `uncaughtException` fails the run by itself: vitest sees to that. */
const aMoment = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('a connection whose backend is killed', () => {
  test('while it is idle is reported lost, once, with the reason that the server gave', async () => {
    const { client, lost, pid, query } = await open()
    await terminate(pid)
    await eventually(() => expect(lost).toHaveLength(1))
    await aMoment()
    expect(lost).toEqual([expect.objectContaining({ code: '57P01' })])
    expect(driver.isDirty(client)).toBe(true)
    expect(driver.classify(await query('select 1').catch((error) => error), 'statement')).toBe('fatal')
  })

  test('in mid-statement is reported lost before the statement rejects', async () => {
    const { lost, pid, query } = await open()
    const order: string[] = []
    const running = query('select pg_sleep(60)').catch((error) => {
      order.push(`rejected after ${lost.length} loss`)
      return error
    })
    await eventually(async () => expect((await active()).length).toBe(1))
    await terminate(pid)
    expect(driver.classify(await running, 'statement')).toBe('fatal')
    await aMoment()
    expect(order).toEqual(['rejected after 1 loss'])
    expect(lost).toEqual([expect.objectContaining({ code: '57P01' })])
  })

  test('in a transaction, or with statements waiting behind', async () => {
    const { client, lost, pid, query } = await open()
    await driver.begin(client, {})
    const running = [query('select pg_sleep(60)'), query('select 1')].map((q) => q.catch((error) => error))
    await eventually(async () => expect((await active()).length).toBe(1))
    await terminate(pid)
    for (const error of await Promise.all(running)) expect(driver.classify(error, 'statement')).toBe('fatal')
    expect(lost).toHaveLength(1)
  })

  test('is closed without complaint, and nothing more is heard of it', async () => {
    const { lost, pid, close } = await open()
    await terminate(pid)
    await eventually(() => expect(lost).toHaveLength(1))
    await close()
    await aMoment()
    expect(lost).toHaveLength(1)
  })

  test('tells who asks later', async () => {
    const { client, lost, pid } = await open()
    await terminate(pid)
    await eventually(() => expect(lost).toHaveLength(1))
    const later: unknown[] = []
    driver.onLost(client, (error) => later.push(error))
    expect(later).toEqual([expect.objectContaining({ code: '57P01' })])
  })
})

test('a connection that the server drops without a word is lost', async () => {
  const { lost, query } = await open()
  const running = query('select pg_sleep(60)').catch((error) => error)
  await server.restart({ mode: 'kill' })
  expect(driver.classify(await running, 'statement')).toBe('fatal')
  expect(lost).toHaveLength(1)
})

test('a socket that fails is a loss', async () => {
  const { client, lost, query } = await open()
  const running = query('select pg_sleep(60)').catch((error) => error)
  const socket = client.connection.stream
  socket.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  expect(driver.classify(await running, 'statement')).toBe('fatal')
  expect(lost).toEqual([expect.objectContaining({ code: 'ECONNRESET' })])
})

test('the statement of a connection whose socket failed does not go on in the server', async () => {
  const { client, query, close } = await open()
  const running = query('select pg_sleep(60)').catch((error) => error)
  await eventually(async () => expect((await active()).length).toBe(1))
  client.connection.stream.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }))
  await running
  await close()
  await eventually(async () => expect(await connectionCount(server)).toBe(0))
})

describe('closing', () => {
  test('is no accident to those who listen to the client', async () => {
    const { client, close } = await open()
    const heard: unknown[] = []
    client.on('error', (error) => heard.push(error))
    await close()
    await aMoment()
    expect(heard).toEqual([])
  })

  test('is no loss, and the server counts the connection no more when it is done', async () => {
    for (let i = 0; i < 20; i++) {
      const { lost, close } = await open()
      await close()
      expect(await connectionCount(server)).toBe(0)
      expect(lost).toEqual([])
    }
  })

  test('does not wait for a statement in flight: it is cancelled, and its backend is gone', async () => {
    for (let i = 0; i < 20; i++) {
      const { query, close } = await open()
      const running = query('select pg_sleep(60)').catch((error) => error)
      if (i % 2 === 0) await aMoment()
      const startedAt = performance.now()
      await close()
      expect(performance.now() - startedAt).toBeLessThan(30_000)
      // Long before it would have ended by itself; not at once where the server takes longer than the close waits.
      await eventually(async () => expect(await connectionCount(server)).toBe(0))
      expect(driver.classify(await running, 'statement')).toBe('fatal')
    }
  })

  test('in the middle of a stream ends it', async () => {
    const { client, close } = await open()
    const rows = driver
      .stream(client, 'select generate_series(1, 1000) as i', [], { batch: 10 })
      [Symbol.asyncIterator]()
    await rows.next()
    await close()
    await expect(
      (async () => {
        for (let i = 0; i < 20; i++) await rows.next()
      })(),
    ).rejects.toThrow()
  })

  test('does not hang with a server that hangs: idle after two seconds, busy after one', async () => {
    const idle = await open()
    const busy = await open()
    const running = busy.query('select pg_sleep(60)').catch((error) => error)
    await aMoment()
    server.freeze()
    try {
      const startedAt = performance.now()
      const closing = idle.close()
      await busy.close()
      expect(performance.now() - startedAt).toBeLessThan(30_000)
      await closing
      expect(performance.now() - startedAt).toBeLessThan(30_000)
      expect(driver.classify(await running, 'statement')).toBe('fatal')
    } finally {
      server.thaw()
    }
    await eventually(async () => expect(await connectionCount(server)).toBe(0))
  })

  test('reaches the end although the connection no longer keeps the process alive', async () => {
    const { client, close } = await open()
    driver.unref(client)
    driver.ref(client)
    driver.unref(client)
    await close()
    expect(await connectionCount(server)).toBe(0)
  })
})

test('a server that goes away in the middle of a reply leaves nothing behind', async () => {
  const silent = await startSilentServer((socket) => {
    socket.once('data', () => {
      // AuthenticationOk, BackendKeyData, ReadyForQuery; and then the beginning of a row, and the end.
      socket.write(Buffer.from('520000000800000000', 'hex'))
      socket.write(Buffer.from('4b0000000c0000000100000002', 'hex'))
      socket.write(Buffer.from('5a0000000549', 'hex'))
      socket.once('data', () => socket.end(Buffer.from('4400', 'hex')))
    })
  })
  const { driver: mine, open: openMine } = pgDriver({ host: '127.0.0.1', port: silent.port, user: 'u' })
  const { lost, query, close } = await openMine()
  const error = await query('select 1').catch((thrown) => thrown)
  expect(mine.classify(error, 'statement')).toBe('fatal')
  expect(lost).toHaveLength(1)
  await close()
  await eventually(() => expect(silent.sockets.size).toBe(0))
})

function active(): Promise<unknown[]> {
  return ask(
    server,
    `select pid from pg_stat_activity where application_name = 'rockpool' and state = 'active'`,
  )
}

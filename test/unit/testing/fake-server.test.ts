import { describe, expect, test } from 'vitest'
import { FakeError, fakeErrors } from '../../../src/testing/fake-error.ts'
import { FakeServer, type FakeServerOptions } from '../../../src/testing/fake-server.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'

const never = new AbortController().signal

function setUp(options: FakeServerOptions = {}) {
  const clock = new VirtualClock()
  const server = new FakeServer({ clock, latencyMs: 10, ...options })
  const driver = server.driver()
  const connect = (signal = never) => clock.until(driver.connect({ signal }))
  return { clock, server, driver, connect }
}

describe('connecting', () => {
  test('takes the latency, and the socket counts from its first moment to its last', async () => {
    const { clock, server, driver } = setUp()
    const connecting = driver.connect({ signal: never })
    expect(server.open).toBe(1)
    const connection = await clock.until(connecting)
    expect(clock.now()).toBe(10)
    const closing = driver.close(connection)
    expect(server.open).toBe(1)
    await clock.until(closing as Promise<void>)
    expect([server.open, server.peak, clock.now()]).toEqual([0, 1, 20])
  })

  test('above maxConnections is refused as exhausted, and never counts', async () => {
    const { server, driver, connect } = setUp({ maxConnections: 1 })
    await connect()
    const error = await connect().catch((error) => error)
    expect(driver.classify?.(error, 'connect')).toBe('exhausted')
    expect(server.peak).toBe(1)
  })

  test('can be aborted, unless the driver is deaf to it', async () => {
    const { clock, server, driver } = setUp({ script: { connect: { never: true } } })
    const controller = new AbortController()
    const connecting = driver.connect({ signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(connecting).rejects.toThrow('enough')
    expect(server.open).toBe(0)
    server.always('connect', { deaf: true, latencyMs: 50 })
    const deaf = driver.connect({ signal: controller.signal })
    expect(server.open).toBe(1)
    await clock.until(deaf)
  })

  test('goes as told, the next calls first', async () => {
    const { server, connect } = setUp({ script: { connect: { error: new Error('always') } } })
    server.next('connect', { error: new Error('first') }, {})
    await expect(connect()).rejects.toThrow('first')
    await connect()
    await expect(connect()).rejects.toThrow('always')
    server.always('connect', undefined)
    await connect()
    expect(server.open).toBe(2)
  })
})

describe('statements', () => {
  test('get the answer that was said last for them', async () => {
    const { clock, server, driver, connect } = setUp()
    server
      .answer(/select/, [{ any: 1 }])
      .answer('select 1', [{ one: 1 }])
      .answer(/insert/, ({ params }) => ({ rowCount: params.length, insertId: 7 }))
      .answer(/fail/, new Error('no such table'))
    const connection = await connect()
    const run = (sql: string, params: unknown[] = []) =>
      clock.until(driver.query(connection, sql, params, {}))
    expect(await run('select 1')).toEqual({ rows: [{ one: 1 }], rowCount: 1, fields: [{ name: 'one' }] })
    expect((await run('select 2')).rows).toEqual([{ any: 1 }])
    expect(await run('insert', ['a', 'b'])).toEqual({ rows: [], rowCount: 2, fields: [], insertId: 7 })
    expect((await run('whatever')).rows).toEqual([])
    await expect(run('fail')).rejects.toThrow('no such table')
  })

  test('that nothing was said about fail on a strict server', async () => {
    const { clock, driver, connect } = setUp({ strict: true })
    const connection = await connect()
    await expect(clock.until(driver.query(connection, 'select 1', [], {}))).rejects.toThrow(
      'no answer for: select 1',
    )
  })

  test('take the latency and their own time, one after another unless they are pipelined', async () => {
    const { clock, server, driver, connect } = setUp()
    server.answer('slow', { takesMs: 100 })
    const connection = await connect()
    const times: number[] = []
    const start = clock.now()
    const both = () =>
      Promise.all(
        ['slow', 'quick'].map((sql) => connection.query(sql).then(() => times.push(clock.now() - start))),
      )
    await clock.until(both())
    expect(times).toEqual([110, 120])
    driver.pipeline?.(connection, true)
    await clock.until(both())
    expect(times).toEqual([110, 120, 230, 230])
  })

  test('the driver sends to a busy connection are noted as misuse', async () => {
    const { clock, server, driver, connect } = setUp()
    const connection = await connect()
    const first = driver.query(connection, 'a', [], {})
    await clock.until(Promise.all([first, driver.query(connection, 'b', [], {})]))
    expect(server.misuse).toEqual(['connection 1 was sent "b" while it was busy'])
  })
})

describe('transactions', () => {
  test('make the connection dirty until they end, and undo what their answers changed', async () => {
    const { clock, server, driver, connect } = setUp()
    const stored: unknown[] = []
    server.answer('insert', ({ params: [value], session }) => {
      stored.push(value)
      session.onRollback(() => stored.splice(stored.indexOf(value), 1))
      return { rowCount: 1 }
    })
    const connection = await connect()
    const insert = (value: string) => clock.until(driver.query(connection, 'insert', [value], {}))
    await insert('before')
    await clock.until(driver.begin(connection, { isolation: 'serializable', readOnly: false }))
    expect([driver.isDirty?.(connection), connection.session.isolation]).toEqual([true, 'serializable'])
    await insert('a')
    await clock.until(Promise.resolve(driver.savepoint?.(connection, 's1', 'set')))
    await insert('b')
    await clock.until(Promise.resolve(driver.savepoint?.(connection, 's1', 'rollback')))
    await clock.until(Promise.resolve(driver.savepoint?.(connection, 's1', 'release')))
    expect(stored).toEqual(['before', 'a'])
    await clock.until(driver.rollback(connection))
    expect(stored).toEqual(['before'])
    expect(driver.isDirty?.(connection)).toBe(false)
  })

  test('that failed can only be rolled back, and COMMIT says so', async () => {
    const { clock, server, driver, connect } = setUp()
    server.answer('bad', new Error('bad'))
    const connection = await connect()
    await clock.until(driver.begin(connection, {}))
    await clock.until(driver.query(connection, 'bad', [], {})).catch(() => {})
    await expect(clock.until(driver.query(connection, 'good', [], {}))).rejects.toThrow('aborted')
    await expect(clock.until(driver.commit(connection))).rejects.toMatchObject({
      code: 'TRANSACTION_ABORTED',
    })
    expect(driver.isDirty?.(connection)).toBe(false)
  })

  test('of other servers survive a failed statement', async () => {
    const { clock, server, driver, connect } = setUp({ abortsTransactions: false })
    server.answer('bad', new Error('bad'))
    const connection = await connect()
    await clock.until(driver.begin(connection, {}))
    await clock.until(driver.query(connection, 'bad', [], {})).catch(() => {})
    await clock.until(driver.query(connection, 'good', [], {}))
    await clock.until(driver.commit(connection))
  })

  test('that are read-only, and servers that were demoted, refuse writes', async () => {
    const { clock, server, driver, connect } = setUp()
    const connection = await connect()
    const write = () => clock.until(driver.query(connection, 'insert into t', [], {}))
    await clock.until(driver.begin(connection, { readOnly: true }))
    const error = await write().catch((error) => error)
    expect(driver.classify?.(error, 'statement')).toBe('stale')
    expect(await clock.until(driver.confirmStale?.(connection) as Promise<boolean>)).toBe(false)
    await clock.until(driver.rollback(connection))
    await write()
    server.demote()
    await expect(write()).rejects.toThrow('read-only')
    expect(await clock.until(driver.confirmStale?.(connection) as Promise<boolean>)).toBe(true)
  })
})

describe('a session', () => {
  test('is as after connecting when it was fully reset', async () => {
    const { clock, server, driver, connect } = setUp()
    let locked = false
    server.answer('prepare all', ({ session }) => {
      session.settings.set('a', '1')
      session.memory.set('table', [])
      locked = true
      session.onEnd(() => {
        locked = false
      })
      return []
    })
    const connection = await connect()
    await clock.until(driver.query(connection, 'prepare all', [], { name: 'p1' }))
    await clock.until(driver.reset?.(connection, 'rollback') as Promise<void>)
    expect([connection.session.settings.size, connection.session.prepared.size, locked]).toEqual([1, 1, true])
    await clock.until(driver.reset?.(connection, 'full') as Promise<void>)
    const { settings, memory, prepared } = connection.session
    expect([settings.size, memory.size, prepared.size, connection.prepared.size, locked]).toEqual([
      0,
      0,
      0,
      0,
      false,
    ])
  })

  test('that lost its prepared statements says so', async () => {
    const { clock, server, driver, connect } = setUp()
    const connection = await connect()
    const run = () => clock.until(driver.query(connection, 'select 1', [], { name: 'p1' }))
    await run()
    server.forgetPrepared()
    const error = await run().catch((error) => error)
    expect(driver.isStalePlan?.(error)).toBe(true)
  })
})

describe('cancelling', () => {
  const slow = { takesMs: 1000 }

  test('stops what runs, and undoes it', async () => {
    const { clock, server, driver, connect } = setUp()
    let undone = false
    server.answer('slow', ({ session }) => {
      session.onRollback(() => {
        undone = true
      })
      return slow
    })
    const connection = await connect()
    const running = driver.query(connection, 'slow', [], {})
    running.catch(() => {})
    await clock.advance(100)
    await clock.until(driver.cancel?.(connection) as Promise<void>)
    await expect(running).rejects.toMatchObject({ code: 'CANCELED' })
    expect([clock.now(), undone, connection.inFlight]).toEqual([120, true, 0])
  })

  test('ends a statement that would never end', async () => {
    const { clock, server, driver, connect } = setUp()
    server.next('query', { never: true })
    const connection = await connect()
    const running = driver.query(connection, 'select 1', [], {})
    running.catch(() => {})
    await clock.until(driver.cancel?.(connection) as Promise<void>)
    await expect(running).rejects.toMatchObject({ code: 'CANCELED' })
  })

  test('that comes too late hits whatever runs then, as a real one does', async () => {
    const { clock, server, driver, connect } = setUp()
    server.answer('slow', slow)
    const connection = await connect()
    const quick = driver.query(connection, 'quick', [], {})
    await clock.advance(9)
    void driver.cancel?.(connection)
    await clock.advance(1)
    await quick
    const victim = driver.query(connection, 'slow', [], {})
    await expect(clock.until(victim)).rejects.toMatchObject({ code: 'CANCELED' })
  })

  test('hits nothing when nothing runs', async () => {
    const { clock, driver, connect } = setUp()
    const connection = await connect()
    await clock.until(driver.cancel?.(connection) as Promise<void>)
    await clock.until(driver.query(connection, 'quick', [], {}))
  })
})

describe('a lost connection', () => {
  test('frees its place at once, and the client is told a little later', async () => {
    const { clock, server, driver, connect } = setUp()
    const connection = await connect()
    const seen: unknown[] = []
    driver.onLost?.(connection, (error) => seen.push(error))
    const running = driver.query(connection, 'select 1', [], {})
    running.catch((error) => seen.push(error))
    server.kill(connection)
    expect([server.open, seen.length]).toEqual([0, 0])
    await clock.advance(5)
    expect(seen).toEqual([fakeErrors.killed(), fakeErrors.killed()])
    await expect(driver.query(connection, 'select 1', [], {})).rejects.toThrow(FakeError)
  })

  test('that vanished in silence answers nothing, not even a close', async () => {
    const { clock, server, driver, connect } = setUp()
    const connection = await connect()
    server.vanish(connection)
    let settled = false
    const note = () => {
      settled = true
    }
    void Promise.resolve(driver.isAlive?.(connection, { signal: never })).then(note, () => {})
    void Promise.resolve(driver.close(connection)).then(note, note)
    await clock.advance(60_000)
    expect([server.open, settled]).toEqual([0, false])
  })

  test('that vanished may answer with a reset', async () => {
    const { clock, server, driver, connect } = setUp()
    const connection = await connect()
    let lost = false
    driver.onLost?.(connection, () => {
      lost = true
    })
    server.vanish(connection, 'reset')
    await clock.advance(1000)
    expect(lost).toBe(false)
    const alive = Promise.resolve(driver.isAlive?.(connection, { signal: never }))
    await expect(clock.until(alive)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(lost).toBe(true)
  })
})

describe('an outage', () => {
  test('ends what is open and refuses what is new', async () => {
    const { server, connect } = setUp()
    await connect()
    server.down()
    expect(server.open).toBe(0)
    await expect(connect()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    server.up()
    await connect()
  })

  test('by freezing holds back all answers until it is over', async () => {
    const { clock, server, driver, connect } = setUp()
    const connection = await connect()
    const running = driver.query(connection, 'select 1', [], {})
    server.freeze()
    await clock.advance(500)
    const start = clock.now()
    server.thaw()
    await clock.until(running)
    expect(clock.now()).toBe(start)
  })
})

describe('a stream', () => {
  const endless = function* () {
    for (let n = 1; ; n++) yield { n }
  }

  test('gives all rows, one round trip per batch', async () => {
    const { clock, server, driver, connect } = setUp()
    server.answer(
      'rows',
      [1, 2, 3, 4, 5].map((n) => ({ n })),
    )
    const connection = await connect()
    const start = clock.now()
    const read = async () => {
      const seen = []
      for await (const row of driver.stream?.(connection, 'rows', [], { batch: 2 }) ?? []) seen.push(row.n)
      return seen
    }
    expect(await clock.until(read())).toEqual([1, 2, 3, 4, 5])
    expect(clock.now() - start).toBe(30)
    expect(driver.isDirty?.(connection)).toBe(false)
  })

  test('asks for no more rows than are read, and can be left early', async () => {
    const { clock, server, driver, connect } = setUp()
    let made = 0
    server.answer('rows', () => ({
      rows: (function* () {
        for (const row of endless()) {
          made++
          yield row
        }
      })(),
    }))
    const connection = await connect()
    const read = async () => {
      for await (const row of driver.stream?.(connection, 'rows', [], { batch: 10 }) ?? []) {
        expect(driver.isDirty?.(connection)).toBe(true)
        if (row.n === 15) break
      }
    }
    await clock.until(read())
    expect([made, driver.isDirty?.(connection)]).toEqual([20, false])
    await clock.until(driver.query(connection, 'select 1', [], {}))
  })

  test('ends with the error when it is cancelled or the connection is lost', async () => {
    const { clock, server, driver, connect } = setUp()
    server.answer('rows', () => ({ rows: endless() }))
    for (const stop of ['cancel', 'kill'] as const) {
      const connection = await connect()
      const read = async () => {
        for await (const _ of driver.stream?.(connection, 'rows', [], { batch: 10 }) ?? []);
      }
      const reading = read()
      reading.catch(() => {})
      await clock.advance(95)
      if (stop === 'cancel') void driver.cancel?.(connection)
      else server.kill(connection)
      await expect(clock.until(reading)).rejects.toMatchObject({
        code: stop === 'cancel' ? 'CANCELED' : 'KILLED',
      })
      expect(connection.inFlight).toBe(0)
    }
  })
})

test('a driver can be made without some of its abilities', () => {
  const { server } = setUp()
  const driver = server.driver({ name: 'plain', without: ['isDirty', 'cancel'] })
  expect([driver.name, 'isDirty' in driver, 'cancel' in driver, 'isAlive' in driver]).toEqual([
    'plain',
    false,
    false,
    true,
  ])
  expect('query' in server.resourceDriver()).toBe(false)
})

test('hooks go as scripted', async () => {
  const { clock, server, connect } = setUp({ script: { onConnect: { error: new Error('hook') } } })
  const connection = await connect()
  await expect(clock.until(server.hook('onConnect')(connection))).rejects.toThrow('hook')
  await clock.until(server.hook('onRelease')(connection))
})

test('every call is logged, or told to whoever wants to know', async () => {
  const { clock, server, driver, connect } = setUp()
  const connection = await connect()
  await clock.until(driver.query(connection, 'select 1', [], {}))
  expect(server.log).toEqual([
    { at: 0, operation: 'connect', connection: 0, sql: '' },
    { at: 10, operation: 'query', connection: 1, sql: 'select 1' },
  ])
  const told: string[] = []
  const other = setUp({ record: (entry) => told.push(entry.operation) })
  await other.connect()
  expect([told, other.server.log]).toEqual([['connect'], []])
})

test('without a clock it lives in real time', async () => {
  const server = new FakeServer().answer('select 1', [{ one: 1 }])
  const driver = server.driver()
  const connection = await driver.connect({ signal: never })
  expect((await driver.query(connection, 'select 1', [], {})).rows).toEqual([{ one: 1 }])
  await driver.close(connection)
  expect(server.open).toBe(0)
})

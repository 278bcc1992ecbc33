import { describe, expect, test } from 'vitest'
import { programs } from '../../support/child.ts'

const runProgram = programs()

/** A resource that keeps the process alive as a socket does. */
const SOCKETS = `
  const driver = {
    name: 'socket',
    connect: async () => setInterval(() => {}, 100_000),
    close: (socket) => clearInterval(socket),
    ref: (socket) => void socket.ref(),
    unref: (socket) => void socket.unref(),
  }
`

describe('the process', () => {
  test('ends when the program is done and the pool is closed', async () => {
    const ended = await runProgram(`${SOCKETS}
      const pool = createResourcePool(driver, { min: 2 })
      await pool.use(() => {})
      await pool.close()
    `)
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' })
  })

  test('ends with exitWhenIdle as soon as the pool is only idle', async () => {
    const ended = await runProgram(`${SOCKETS}
      const pool = createResourcePool(driver, { exitWhenIdle: true, min: 2, idleTimeoutMs: 60_000 })
      await pool.use(() => {})
      console.log('done')
    `)
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'done\n' })
  })

  test('goes on with exitWhenIdle while somebody waits or holds a lease', async () => {
    const ended = await runProgram(`${SOCKETS}
      const pool = createResourcePool(driver, { exitWhenIdle: true, max: 1 })
      const lease = await pool.acquire()
      const waiting = pool.acquire({ timeoutMs: 30_000 })
      setTimeout(() => lease.release(), 200).unref()
      const second = await waiting
      console.log('served')
      setTimeout(() => { console.log('held'); second.release() }, 200).unref()
    `)
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: 'served\nheld\n' })
  })

  test('goes on with exitWhenIdle until a close that was asked for is done', async () => {
    const ended = await runProgram(`
      const driver = server.resourceDriver()
      server.always('close', { latencyMs: 200 })
      const pool = createResourcePool(driver, { exitWhenIdle: true })
      await pool.use(() => {})
      pool.close().then((report) => console.log(report.closed))
    `)
    expect(ended).toMatchObject({ code: 0, stdout: '1\n' })
  })

  test('without exitWhenIdle is kept alive by an idle connection', async () => {
    const ended = await runProgram(`${SOCKETS}
      const pool = createResourcePool(driver)
      await pool.use(() => {})
      setTimeout(() => { console.log('still here'); process.exit(3) }, 300).unref()
    `)
    expect(ended).toMatchObject({ code: 3, stdout: 'still here\n' })
  })

  test('with NODE_DEBUG=rockpool prints one line for each decision, and none without', async () => {
    const program = `
      const pool = createResourcePool(server.resourceDriver(), { name: 'orders' })
      await pool.use(() => {})
      await pool.close()
    `
    const [told, silent] = await Promise.all([
      runProgram(program, { env: { NODE_DEBUG: 'rockpool' } }),
      runProgram(program),
    ])
    const lines = told.stderr.trim().split('\n')
    for (const word of [
      'connecting #1',
      'connect #1',
      'acquire #1',
      'release #1',
      'closing (close) #1',
      'close #1',
    ])
      expect(
        lines.some((line) => line.includes(`orders: ${word}`)),
        word,
      ).toBe(true)
    expect(silent.stderr).toBe('')
  })
})

describe('closeOnSignal', () => {
  const PROGRAM = `
    const pool = createResourcePool(server.resourceDriver())
    const lease = await pool.acquire()
    closeOnSignal(pool)
    pool.on('close', () => console.log('closed'))
    process.on('exit', () => console.log('exit'))
  `

  test('drains on SIGTERM, then lets the process end as it would have', async () => {
    const ended = await runProgram(
      `${PROGRAM}
      setInterval(() => {}, 1000)
      process.on('exit', () => console.log('never called by a signal'))
      console.log('ready')
      setTimeout(() => lease.release(), 300)`,
      { talk: (line, child) => line === 'ready' && child.kill('SIGTERM') },
    )
    expect(ended).toMatchObject({ code: null, signal: 'SIGTERM', stdout: 'ready\nclosed\n' })
  })

  test('leaves the end to a handler of the program’s own', async () => {
    const ended = await runProgram(
      `${PROGRAM}
      process.on('SIGINT', () => { console.log('mine'); setTimeout(() => process.exit(7), 200) })
      console.log('ready')
      setInterval(() => {}, 1000)
      lease.release()`,
      { talk: (line, child) => line === 'ready' && child.kill('SIGINT') },
    )
    expect(ended).toMatchObject({ code: 7, stdout: 'ready\nmine\nclosed\nexit\n' })
  })

  test('a second signal does not wait for the drain', async () => {
    const ended = await runProgram(
      `${PROGRAM}
      setInterval(() => {}, 1000)
      process.on('SIGUSR2', () => {})
      console.log('ready')
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 100)
      setTimeout(() => process.kill(process.pid, 'SIGTERM'), 400)`,
    )
    expect(ended).toMatchObject({ code: null, signal: 'SIGTERM', stdout: 'ready\n' })
  })

  test('can be undone', async () => {
    const ended = await runProgram(
      `${PROGRAM}
      const before = process.listenerCount('SIGTERM')
      const undo = closeOnSignal(pool, ['SIGUSR1', 'SIGUSR2'])
      console.log(process.listenerCount('SIGUSR1'), process.listenerCount('SIGUSR2'))
      undo()
      console.log(process.listenerCount('SIGUSR1'), process.listenerCount('SIGUSR2'), before)
      process.exit(0)`,
    )
    expect(ended.stdout).toBe('1 1\n0 0 1\nexit\n')
  })
})

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pgModule from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import {
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../../src/testing/embedded-postgres.ts'
import { processesUnder } from '../../../src/testing/processes.ts'
import { ask, eventually } from '../../support/postgres.ts'

async function start(options?: EmbeddedPostgresOptions) {
  const server = await startEmbeddedPostgres(options)
  onTestFinished(() => server.close())
  return server
}

/** What waits to be reaped by init, which may take its time, runs no more. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' && !existsSync('/proc/self/stat')
  }
}

test('a server with a password lets nobody in without', async () => {
  const server = await start({ user: 'some one', password: `it's @ secret/?` })
  expect(await ask(server, 'select current_user as user')).toEqual([{ user: 'some one' }])
  const other = new pgModule.Client({
    host: server.host,
    port: server.port,
    user: server.user,
    database: 'postgres',
    password: 'x',
  })
  await expect(other.connect()).rejects.toMatchObject({ code: '28P01' })
  await other.end()
})

test('two servers run side by side, each with its settings', async () => {
  const [one, other] = await Promise.all([
    start({ maxConnections: 7 }),
    start({ settings: { work_mem: '9MB' }, unixSocket: true }),
  ])
  expect(one.port).not.toBe(other.port)
  expect(await ask(one, 'show max_connections')).toEqual([{ max_connections: '7' }])
  expect(await ask(other, 'show work_mem')).toEqual([{ work_mem: '9MB' }])
  expect(statSync(`${other.socketFolder}/.s.PGSQL.${other.port}`).isSocket()).toBe(true)
  expect(one.log()).toMatch('ready to accept connections')
})

test.each(['smart', 'fast', 'immediate', 'kill'] as const)(
  'a server stopped by "%s" starts again on the same port with its data',
  async (mode) => {
    const server = await start()
    await ask(server, 'create table t as select 1 as a')
    // A crash without fsync may lose what was not written.
    await ask(server, 'checkpoint')
    const { pid, port } = server
    await server.stop({ mode })
    expect(server.pid).toBeUndefined()
    expect(isRunning(pid as number)).toBe(false)
    await expect(ask(server, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.start()
    expect(server.port).toBe(port)
    expect(await ask(server, 'select a from t')).toEqual([{ a: 1 }])
  },
)

test('a frozen server keeps its connections open and answers nobody until it is thawed', async () => {
  const server = await start()
  const client = new pgModule.Client(server.url())
  await client.connect()
  server.freeze()
  let answered = false
  const asking = client.query('select 1').then(() => {
    answered = true
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(answered).toBe(false)
  server.thaw()
  await asking
  await client.end()
})

test('a frozen server can be closed', async () => {
  const server = await start()
  const { pid } = server
  server.freeze()
  await server.close()
  expect(isRunning(pid as number)).toBe(false)
  expect(existsSync(server.folder)).toBe(false)
})

test('a server that cannot start says why and leaves nothing', async () => {
  await expect(startEmbeddedPostgres({ settings: { work_mem: 'a lot' } })).rejects.toThrow(
    /invalid value for parameter "work_mem"/,
  )
  const busy = await start()
  await expect(startEmbeddedPostgres({ port: busy.port })).rejects.toThrow(/Address already in use/)
})

test.each([
  ['comes to its end', 'fall off the end', undefined],
  ['exits', 'exit', undefined],
  ['fails', 'throw', undefined],
  ['gets Ctrl-C', 'wait', 'SIGINT'],
  ['is terminated', 'wait', 'SIGTERM'],
  ['is killed', 'wait', 'SIGKILL'],
  ['is killed while the server is frozen', 'freeze', 'SIGKILL'],
] as const)('nothing is left of a server whose program %s', async (_, how, signal) => {
  const program = fileURLToPath(new URL('../fixtures/with-postgres.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, how], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const exited = once(child, 'exit')
  const [line] = await once(child.stdout, 'data')
  const { folder, pid } = JSON.parse(String(line))
  const helpers = processesUnder(pid)
  if (signal !== undefined) child.kill(signal)
  await exited
  const isGone = () => {
    expect(existsSync(folder)).toBe(false)
    expect([pid, ...helpers].filter(isRunning)).toEqual([])
  }
  // Where it could not clean up itself, another process does, which gives a frozen server five seconds.
  await eventually(isGone)
})

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, onTestFinished, test as plain, vi } from 'vitest'
import { FaultProxy } from '../../../src/testing/fault-proxy.ts'

/** A server that says everything back, and remembers what it saw. */
async function startEcho() {
  const sockets: Socket[] = []
  const ends: string[] = []
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('data', (bytes) => socket.write(bytes))
    socket.on('end', () => ends.push('fin'))
    socket.on('error', (error: NodeJS.ErrnoException) => ends.push(error.code ?? ''))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, sockets, ends }
}

const test = plain.extend<{ echo: Awaited<ReturnType<typeof startEcho>>; proxy: FaultProxy }>({
  // biome-ignore lint/correctness/noEmptyPattern: a fixture names what it needs, and this one needs nothing
  echo: async ({}, use) => use(await startEcho()),
  proxy: async ({ echo }, use) => {
    const proxy = await new FaultProxy(echo).listen()
    await use(proxy)
    await proxy.close()
  },
})

/** A client through the proxy, with what it has heard so far. */
async function dial(proxy: FaultProxy) {
  const socket = connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true })
  const heard: string[] = []
  const client = { socket, heard, text: () => heard.join('') }
  socket.on('data', (bytes) => heard.push(bytes.toString()))
  socket.on('end', () => heard.push('<fin>'))
  socket.on('error', (error: NodeJS.ErrnoException) => heard.push(`<${error.code}>`))
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return client
}

const until = (what: () => void) => vi.waitFor(what, { timeout: 20_000, interval: 2 })
const hears = (client: { text(): string }, text: string) => until(() => expect(client.text()).toBe(text))
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('without faults everything passes in both directions', async ({ proxy }) => {
  const client = await dial(proxy)
  client.socket.write('hello')
  await hears(client, 'hello')
  expect(proxy.counts).toEqual({ accepted: 1, open: 1, mostOpen: 1 })
})

test('large amounts pass unharmed', async ({ proxy }) => {
  const client = await dial(proxy)
  const text = 'abcdefgh'.repeat(500_000)
  client.socket.write(text)
  await until(() => expect(client.text().length).toBe(text.length))
  expect(client.text()).toBe(text)
})

test('the end of one side reaches the other, which may still answer', async ({ proxy, echo }) => {
  const client = await dial(proxy)
  client.socket.end('last words')
  await hears(client, 'last words')
  await until(() => expect(echo.ends).toEqual(['fin']))
  echo.sockets[0]?.end()
  await hears(client, 'last words<fin>')
  await until(() => expect(proxy.counts.open).toBe(0))
})

test('latency delays one direction and keeps the order', async ({ proxy }) => {
  proxy.set({ latencyMs: 60 }, 'down')
  const client = await dial(proxy)
  const since = performance.now()
  client.socket.write('a')
  await pause(20)
  client.socket.write('b')
  await hears(client, 'ab')
  expect(performance.now() - since).toBeGreaterThan(75)
})

test('a throttle lets so many bytes a second through', async ({ proxy }) => {
  proxy.set({ bytesPerSecond: 20_000 }, 'up')
  const client = await dial(proxy)
  const since = performance.now()
  client.socket.write('x'.repeat(4_000))
  await until(() => expect(client.text().length).toBe(4_000))
  expect(performance.now() - since).toBeGreaterThan(150)
})

test('a reset is seen by both ends', async ({ proxy, echo }) => {
  const client = await dial(proxy)
  client.socket.write('x')
  await hears(client, 'x')
  proxy.reset()
  await hears(client, 'x<ECONNRESET>')
  await until(() => expect(echo.ends).toEqual(['ECONNRESET']))
})

test('a reset right behind an end closes the sockets all the same', async ({ proxy, echo }) => {
  const client = await dial(proxy)
  client.socket.write('x')
  await hears(client, 'x')
  proxy.halfClose('down')
  proxy.halfClose('up')
  proxy.reset()
  await until(() => expect(proxy.counts.open).toBe(0))
  // And where the server is not reached yet.
  await dial(proxy)
  await until(() => expect(proxy.counts.accepted).toBe(2))
  proxy.halfClose('up')
  proxy.reset()
  await until(() => expect(proxy.counts.open).toBe(0))
  expect(echo.sockets.length).toBeLessThanOrEqual(2)
})

test('a half-close ends one direction and leaves the other open', async ({ proxy, echo }) => {
  const client = await dial(proxy)
  client.socket.write('x')
  await hears(client, 'x')
  proxy.halfClose('down')
  await hears(client, 'x<fin>')
  const seen = once(echo.sockets[0] as Socket, 'data')
  client.socket.write('still heard')
  expect(String((await seen)[0])).toBe('still heard')
})

test('silence tells nobody anything, and what was held back arrives when it ends', async ({
  proxy,
  echo,
}) => {
  const client = await dial(proxy)
  client.socket.write('before ')
  await hears(client, 'before ')
  proxy.set({ silent: true })
  client.socket.write('during')
  const late = await dial(proxy)
  late.socket.end('late')
  await pause(50)
  expect(client.text()).toBe('before ')
  expect([echo.sockets.length, echo.ends]).toEqual([1, []])
  await proxy.heal()
  await hears(client, 'before during')
  await hears(late, 'late')
})

test('faults of one connection leave the others alone', async ({ proxy }) => {
  const silent = await dial(proxy)
  await until(() => expect(proxy.connections.length).toBe(1))
  proxy.connections[0]?.set({ silent: true })
  const free = await dial(proxy)
  silent.socket.write('x')
  free.socket.write('x')
  await hears(free, 'x')
  expect(silent.text()).toBe('')
})

test('refusing ends at the same port, and open connections survive it', async ({ proxy }) => {
  const client = await dial(proxy)
  await until(() => expect(proxy.counts.open).toBe(1))
  await proxy.refuse()
  await expect(dial(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  client.socket.write('x')
  await hears(client, 'x')
  await proxy.heal()
  await dial(proxy)
})

test('a target that is not there resets the client', async ({ proxy }) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  other.close()
  proxy.pointTo({ host: '127.0.0.1', port })
  await hears(await dial(proxy), '<ECONNRESET>')
})

test('pointed to another target, new connections go there', async ({ proxy, echo }) => {
  const second = await startEcho()
  const before = await dial(proxy)
  await until(() => expect(echo.sockets.length).toBe(1))
  proxy.pointTo(second)
  const after = await dial(proxy)
  await until(() => expect(second.sockets.length).toBe(1))
  for (const client of [before, after]) client.socket.write('x')
  await hears(before, 'x')
  await hears(after, 'x')
  expect(echo.sockets.length).toBe(1)
})

test('its URL differs in host and port alone', async ({ proxy }) => {
  expect(proxy.url('postgres://me:p%40ss@db.example:5432/app?sslmode=disable')).toBe(
    `postgres://me:p%40ss@127.0.0.1:${proxy.port}/app?sslmode=disable`,
  )
})

test('after closing nothing is left', async ({ echo }) => {
  const proxy = await new FaultProxy(echo).listen()
  const client = await dial(proxy)
  await until(() => expect(echo.sockets.length).toBe(1))
  proxy.set({ silent: true })
  await proxy.close()
  expect(proxy.counts.open).toBe(0)
  await hears(client, '<fin>')
  await expect(dial(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

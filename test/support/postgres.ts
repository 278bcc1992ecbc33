import { createServer, type Server, type Socket } from 'node:net'
import pgModule from 'pg'
import { afterAll, onTestFinished } from 'vitest'
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  startEmbeddedPostgres,
} from '../../src/testing/embedded-postgres.ts'

/** A server for the tests of one file: `const server = await startPostgres()`. */
export async function startPostgres(options?: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres(options)
  afterAll(() => server.close())
  return server
}

/** Rows of one statement that the superuser runs on a connection of its own, called `admin`. */
export async function ask<R = Record<string, unknown>>(
  server: EmbeddedPostgres,
  sql: string,
  values: unknown[] = [],
): Promise<R[]> {
  // Whatever a test makes of the environment.
  const client = new pgModule.Client({
    connectionString: server.url(),
    application_name: 'admin',
    ssl: false,
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    const { rows } = await client.query(sql, values)
    return rows as R[]
  } finally {
    await client.end()
  }
}

/** How many connections the server counts, but for the one that asks. */
export async function connectionCount(server: EmbeddedPostgres): Promise<number> {
  const [row] = await ask<{ n: number }>(
    server,
    `select count(*)::int as n from pg_stat_activity where backend_type = 'client backend' and application_name <> 'admin'`,
  )
  return row?.n ?? Number.NaN
}

/** A server that takes connections and then does what `greet` does: by default nothing, for ever. */
export async function startSilentServer(
  greet: (socket: Socket) => void = () => undefined,
): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => sockets.delete(socket))
    socket.resume()
    greet(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as { port: number }).port, sockets }
}

/** Waits for something that another process brings about. */
export async function eventually<T>(attempt: () => T | Promise<T>, limitMs = 20_000): Promise<T> {
  const deadline = performance.now() + limitMs
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

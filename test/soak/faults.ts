import pgModule from 'pg'
import type { SqlPool } from '../../src/index.ts'
import type { EmbeddedPostgres } from '../../src/testing/embedded-postgres.ts'
import type { FaultProxy } from '../../src/testing/fault-proxy.ts'
import type { Random } from '../../src/testing/random.ts'

export interface World {
  readonly server: EmbeddedPostgres
  readonly proxy: FaultProxy
  readonly pool: SqlPool
  readonly random: Random
}

export const MAX = 8

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** Runs a statement past the proxy; a server that is down does not mind. */
export async function ask(server: EmbeddedPostgres, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pgModule.Client({ connectionString: server.url(), application_name: 'soak-admin' })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(sql)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

const OURS = `from pg_stat_activity where backend_type = 'client backend' and application_name <> 'soak-admin'`

/** All that can go wrong. Each ends what it began. */
const FAULTS: Record<string, (world: World) => unknown> = {
  async latency({ proxy, random }) {
    proxy.set({ latencyMs: random.integer(1, 60) }, random.pick(['up', 'down', undefined]))
    await pause(random.integer(100, 800))
    proxy.set({ latencyMs: 0 })
  },
  async throttle({ proxy, random }) {
    proxy.set({ bytesPerSecond: random.integer(5_000, 200_000) }, random.pick(['up', 'down', undefined]))
    await pause(random.integer(100, 800))
    proxy.set({ bytesPerSecond: Number.POSITIVE_INFINITY })
  },
  async silence({ proxy, random }) {
    proxy.set({ silent: true }, random.pick(['up', 'down', undefined]))
    await pause(random.integer(50, 2_000))
    proxy.set({ silent: false })
  },
  async 'silence of one'({ proxy, random }) {
    const [first, ...others] = proxy.connections
    if (first === undefined) return
    const connection = random.pick([first, ...others])
    connection.set({ silent: true })
    await pause(random.integer(50, 3_000))
    if (random.chance(0.5)) connection.reset()
    else connection.set({ silent: false })
  },
  reset: ({ proxy }) => proxy.reset(),
  'reset of some'({ proxy, random }) {
    for (const connection of proxy.connections) if (random.chance(0.3)) connection.reset()
  },
  'half-close': ({ proxy, random }) => proxy.halfClose(random.pick(['up', 'down'])),
  kill: ({ proxy }) => proxy.killAll(),
  async refusal({ proxy, random }) {
    await proxy.refuse()
    if (random.chance(0.5)) proxy.reset()
    await pause(random.integer(50, 1_500))
    await proxy.accept()
  },
  'end of all backends': ({ server }) => ask(server, `select pg_terminate_backend(pid) ${OURS}`),
  'cancel of all statements': ({ server }) => ask(server, `select pg_cancel_backend(pid) ${OURS}`),
  async 'crash of a backend'({ server }) {
    const [row] = await ask(server, `select pid ${OURS} limit 1`)
    if (row !== undefined) process.kill(row.pid as number, 'SIGKILL')
    await pause(300)
  },
  async outage({ server, random }) {
    await server.stop({ mode: random.pick(['fast', 'immediate', 'kill'] as const) })
    await pause(random.integer(0, 1_500))
    await server.start()
  },
  async freeze({ server, random }) {
    server.freeze()
    await pause(random.integer(50, 2_000))
    server.thaw()
  },
  'a blocked loop'({ random }) {
    const until = performance.now() + random.integer(20, 600)
    while (performance.now() < until);
  },
  async 'no room'({ server, random }) {
    const clients = Array.from(
      { length: 30 },
      () => new pgModule.Client({ connectionString: server.url(), application_name: 'soak-admin' }),
    )
    for (const client of clients) client.on('error', () => {})
    await Promise.allSettled(clients.map((client) => client.connect()))
    await ask(server, `select pg_terminate_backend(pid) ${OURS}`).catch(() => {})
    await pause(random.integer(100, 800))
    await Promise.allSettled(clients.map((client) => client.end()))
  },
  refresh: ({ pool }) => pool.refresh(),
  async resize({ pool, random }) {
    pool.resize({ max: random.integer(1, MAX), min: 0, maxIdle: random.integer(0, MAX), maxOverflow: 0 })
    await pause(random.integer(50, 800))
    pool.resize({ max: MAX, maxIdle: MAX })
  },
  async suspend({ pool, random }) {
    pool.suspend()
    await pause(random.integer(10, 800))
    pool.resume()
  },
}

/** Lets one fault after the other happen, sometimes two at a time, until told to stop. Gives how many there were. */
export async function makeTrouble(world: World, isOn: () => boolean): Promise<number> {
  const names = Object.keys(FAULTS)
  let count = 0
  const one = async () => {
    count++
    const name = world.random.pick(names)
    if (process.env.SOAK_TRACE !== undefined) process.stderr.write(`${name}\n`)
    try {
      await FAULTS[name]?.(world)
    } catch {
      // The server was down already.
    }
  }
  while (isOn()) {
    await (world.random.chance(0.2) ? Promise.all([one(), one()]) : one())
    await pause(world.random.integer(20, 700))
  }
  return count
}

/** Everything works again. */
export async function heal({ server, proxy, pool }: World): Promise<void> {
  server.thaw()
  await server.start()
  await proxy.heal()
  for (const connection of proxy.connections) connection.set({ silent: false })
  pool.resize({ max: MAX, maxIdle: MAX })
  pool.resume()
}

import { describe, expect, test } from 'vitest'
import type { AcquireOptions } from '../../../src/contract/lease.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import {
  type Behaviour,
  type FakeConnection,
  type FakeOperation,
  FakeServer,
  promiseJobs,
  VirtualClock,
} from '../../../src/testing/index.ts'

// Every outcome of everything that a pool asks a driver or a hook to do, in all combinations: whatever comes of it, the
// pool lends as many connections afterwards as before, and leaves nothing behind.

const OUTCOMES = {
  succeeds: undefined,
  fails: { error: new Error('it fails') },
  // Later than any limit, so that what comes comes too late.
  'is slow': { latencyMs: 60, deaf: true },
  'never ends': { never: true },
} as const satisfies Record<string, Behaviour | undefined>

type Outcome = keyof typeof OUTCOMES

const POINTS = ['connect', 'onConnect', 'isAlive', 'reset', 'close'] as const satisfies FakeOperation[]
const CALLERS = ['waits', 'gives up by its signal', 'times out'] as const
const LIMIT_MS = 20
const MAX = 2

/** All combinations, with the first point as told. */
function worlds(connect: Outcome): Outcome[][] {
  const all = Object.keys(OUTCOMES) as Outcome[]
  let found: Outcome[][] = [[connect]]
  for (let point = 1; point < POINTS.length; point++)
    found = found.flatMap((known) => all.map((outcome) => [...known, outcome]))
  return found
}

function build() {
  const clock = new VirtualClock({ settle: promiseJobs })
  const server = new FakeServer({ clock, latencyMs: 1, record: null })
  const pool = createResourcePool<FakeConnection>(server.resourceDriver(), {
    name: 'p',
    clock,
    max: MAX,
    connectTimeoutMs: LIMIT_MS,
    validateTimeoutMs: LIMIT_MS,
    resetTimeoutMs: LIMIT_MS,
    closeTimeoutMs: LIMIT_MS,
    validateAfterIdleMs: 0,
    onConnect: server.hook('onConnect'),
  })
  pool.on('error', () => {})
  return { clock, server, pool }
}

/** What becomes of a pool in this world; an empty list when all is well. */
async function problemsOf(world: readonly Outcome[], caller: (typeof CALLERS)[number]): Promise<string[]> {
  const { clock, server, pool } = build()
  let aborts = 0
  const borrow = async () => {
    const options: AcquireOptions = { timeoutMs: caller === 'times out' ? 10 : 500 }
    if (caller === 'gives up by its signal') {
      const control = new AbortController()
      options.signal = control.signal
      clock.io(10, () => {
        aborts++
        control.abort()
      })
    }
    const lease = await pool.acquire(options).catch(() => undefined)
    if (lease === undefined) return
    // What comes back dirty must be reset.
    await lease.connection.query('begin').catch(() => {})
    lease.release()
  }

  await clock.until(Promise.all([borrow(), borrow()]))
  POINTS.forEach((point, at) => {
    server.always(point, OUTCOMES[world[at] as Outcome])
  })
  for (let round = 0; round < 2; round++) {
    const running = Promise.all([borrow(), borrow(), borrow()])
    await clock.advance(5)
    // One that dies makes the others suspect.
    server.kill(server.connections[0])
    await clock.until(running)
  }
  for (const point of POINTS) server.always(point, undefined)
  await clock.advance(1_000)

  const acquire = () => pool.acquire({ timeoutMs: 500 }).catch(() => undefined)
  const leases = await clock.until(Promise.all(Array.from({ length: MAX }, acquire)))
  const problems: string[] = []
  const lent = new Set(leases.flatMap((lease) => (lease === undefined ? [] : [lease.connection])))
  if (lent.size !== MAX) problems.push(`${lent.size} of ${MAX} connections are lent`)
  for (const lease of leases) lease?.release()
  const report = await clock.until(pool.close())
  const { total, waiting, closed } = pool.stats()
  if (total + waiting > 0) problems.push(`${total} connections and ${waiting} waiters are left`)
  if (report.abandoned > 0) problems.push('close has written something off')
  await clock.advance(100)
  if (clock.pending > 0) problems.push(`${clock.pending} timers are left`)
  if (server.open > closed.abandoned) problems.push(`${server.open} sockets are left`)
  if (server.peak > MAX + closed.abandoned) problems.push(`there were ${server.peak} sockets at a time`)
  if (caller === 'gives up by its signal' && aborts === 0) problems.push('nobody gave up')
  return [...problems, ...server.misuse]
}

describe.each(CALLERS)('where the caller %s', (caller) => {
  test.each(Object.keys(OUTCOMES) as Outcome[])('and connecting %s', async (connect) => {
    const failed: string[] = []
    for (const world of worlds(connect)) {
      const problems = await problemsOf(world, caller)
      const name = POINTS.map((point, at) => `${point} ${world[at]}`).join(', ')
      if (problems.length > 0) failed.push(`${name}: ${problems.join('; ')}`)
    }
    expect(failed).toEqual([])
  })
})

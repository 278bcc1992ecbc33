import type { PoolEvent, PoolEventName } from '../../src/contract/events.ts'
import type { PoolOptions } from '../../src/contract/options.ts'
import type { Pool } from '../../src/contract/pool.ts'
import type { SqlPool } from '../../src/contract/sql.ts'
import { createPool } from '../../src/create-pool.ts'
import { createResourcePool } from '../../src/pool/create-resource-pool.ts'
import type { FakeConnection } from '../../src/testing/fake-connection.ts'
import type { FakeDriverOptions } from '../../src/testing/fake-driver.ts'
import { FakeServer, type FakeServerOptions } from '../../src/testing/fake-server.ts'
import { VirtualClock } from '../../src/testing/virtual-clock.ts'

/** Virtual time whose chance is what the test says. */
export type TestClock = VirtualClock & { chance: number }

function testClock(): TestClock {
  const clock = Object.assign(new VirtualClock(), { chance: 0.5 })
  return Object.assign(clock, { random: () => clock.chance })
}

export type Options = PoolOptions<FakeConnection>

interface Surroundings {
  server?: FakeServerOptions
  driver?: FakeDriverOptions
}

function surroundings({ server: options = {} }: Surroundings) {
  const clock = testClock()
  const server = new FakeServer({ clock, ...options })
  return { clock, server }
}

/** A pool of resources on a fake server, under virtual time. */
export function world(options: Options = {}, around: Surroundings = {}) {
  const { clock, server } = surroundings(around)
  const driver = server.resourceDriver(around.driver)
  const pool = createResourcePool<FakeConnection>(driver, { name: 'p', clock, ...options })
  return { clock, server, driver, pool, ...watch(clock, server, pool) }
}

/** A SQL pool on a fake server, under virtual time. */
export function sqlWorld(options: Options = {}, around: Surroundings = {}) {
  const { clock, server } = surroundings(around)
  const driver = server.driver(around.driver)
  const pool: SqlPool<FakeConnection> = createPool(driver, { name: 'p', clock, ...options })
  return { clock, server, driver, pool, ...watch(clock, server, pool) }
}

function watch(clock: TestClock, server: FakeServer, pool: Pool<FakeConnection>) {
  const events: (PoolEvent & { event: PoolEventName })[] = []
  const listeners = Object.fromEntries(
    EVENTS.map((event) => [event, (payload: PoolEvent) => void events.push({ event, ...payload })]),
  ) as Record<(typeof EVENTS)[number], (payload: PoolEvent) => void>
  for (const event of EVENTS) pool.on(event, listeners[event])
  return {
    events,
    listeners,
    /** The names of the events so far, with the reasons of closes. */
    told: () => events.map(({ event, reason }) => (reason === undefined ? event : `${event} ${reason}`)),
    /** What the server was asked to do so far. */
    asked: (...operations: string[]) =>
      server.log.filter(({ operation }) => operations.includes(operation)).map(({ operation }) => operation),
    sent: () => server.log.filter(({ sql }) => sql !== '').map(({ sql }) => sql),
    until: <T>(promise: Promise<T>) => clock.until(promise),
    errorOf: (promise: Promise<unknown>) => clock.until(promise.then(missing, (error) => error)),
  }
}

function missing(value: unknown): never {
  throw new Error(`should have been rejected, but gave ${String(value)}`)
}

const EVENTS = [
  'connect',
  'acquire',
  'release',
  'reset',
  'close',
  'detach',
  'leak',
  'error',
] as const satisfies PoolEventName[]

/** What has become of a promise so far. */
export interface Fate<T> {
  state: 'pending' | 'resolved' | 'rejected'
  value?: T
  error?: unknown
  /** When it settled. */
  at?: number
}

/** Follows a promise without waiting for it. */
export function fate<T>(promise: Promise<T>, clock?: VirtualClock): Fate<T> {
  const known: Fate<T> = { state: 'pending' }
  promise.then(
    (value) => Object.assign(known, { state: 'resolved', value, at: clock?.now() }),
    (error) => Object.assign(known, { state: 'rejected', error, at: clock?.now() }),
  )
  return known
}

import { createPool, createResourcePool, type Lease } from '../../src/index.ts'
import { DeadlinePool } from '../bounds/deadline-pool.ts'
import { RingPool } from '../bounds/ring-pool.ts'
import { peer } from '../harness/packages.ts'
import { clientClass, resourceDriver, sqlDriver } from './fake-drivers.ts'
import type { Lender, LenderFactory, LenderOptions, Resource } from './lender.ts'
import { mysql2Lender } from './mysql2.ts'

interface PgPool {
  connect(): Promise<{ release(): void }>
  end(): Promise<void>
}

interface Factory {
  create(): Promise<Resource>
  destroy(resource: Resource): void | Promise<void>
  validate?(resource: Resource): boolean
}

/** What tarn, generic-pool, sequelize-pool and lightning-pool have in common. */
interface Generic {
  acquire(): Promise<Resource> & { promise?: Promise<Resource> }
  release(resource: Resource): unknown
  destroy?(): unknown
  clear?(): unknown
  close?(force: boolean): unknown
  destroyAllNow?(): unknown
}

export const lenders: Readonly<Record<string, LenderFactory>> = {
  rockpool: (options) => {
    return rockpool(createResourcePool(resourceDriver(options.source), ourOptions(options)))
  },
  'rockpool (SQL)': (options) => rockpool(createPool(sqlDriver(options.source), ourOptions(options))),
  'rockpool (shed)': (options) => {
    const pool = createResourcePool(resourceDriver(options.source), {
      ...ourOptions(options),
      overload: 'shed',
    })
    return rockpool(pool)
  },
  'pg-pool': ({ max, timeoutMs, source }) => {
    const Pool = peer<new (options: object) => PgPool>('pg-pool')
    const pool = new Pool({ max, Client: clientClass(source), connectionTimeoutMillis: timeoutMs })
    return {
      acquire: () => pool.connect(),
      release: (client) => (client as { release(): void }).release(),
      close: () => pool.end(),
    }
  },
  mysql2: mysql2Lender,
  tarn: ({ max, timeoutMs, source }) => {
    const { Pool } = peer<{ Pool: new (options: object) => Generic }>('tarn')
    const pool = new Pool({ min: 0, max, ...factory(source), ...timeout(timeoutMs) })
    return {
      acquire: () => pool.acquire().promise as Promise<Resource>,
      release: (resource) => pool.release(resource as Resource),
      close: () => pool.destroy?.(),
    }
  },
  'generic-pool': ({ max, timeoutMs, source }) => {
    const { createPool: create } = peer<{ createPool(f: Factory, o: object): Generic }>('generic-pool')
    const asynchronous = { ...factory(source), destroy: async () => {} }
    const pool = create(asynchronous, { min: 0, max, ...timeout(timeoutMs) })
    return generic(pool, () => pool.clear?.())
  },
  'sequelize-pool': ({ max, timeoutMs, source }) => {
    const { Pool } = peer<{ Pool: new (options: object) => Generic }>('sequelize-pool')
    const pool = new Pool({ min: 0, max, ...factory(source), validate: () => true, ...timeout(timeoutMs) })
    return generic(pool, () => pool.destroyAllNow?.())
  },
  'lightning-pool': ({ max, timeoutMs, source }) => {
    const { Pool } = peer<{ Pool: new (factory: Factory, options: object) => Generic }>('lightning-pool')
    // It turns away whoever is the 1001st, by default.
    const queue = { maxQueue: Number.MAX_SAFE_INTEGER }
    const pool = new Pool(factory(source), { min: 0, max, ...queue, ...timeout(timeoutMs) })
    return generic(pool, () => pool.close?.(true))
  },
  'bound: ring': ({ max, source }) => {
    const pool = new RingPool(Array.from({ length: max }, () => source.make()))
    return {
      acquire: () => pool.acquire(),
      release: (resource) => pool.release(resource as Resource),
      tryAcquire: () => pool.tryAcquire(),
      close: () => {},
    }
  },
  'bound: deadlines': ({ max, timeoutMs = 30_000, source }) => {
    const pool = new DeadlinePool(
      Array.from({ length: max }, () => source.make()),
      timeoutMs,
    )
    return {
      acquire: () => pool.acquire(),
      release: (resource) => pool.release(resource as Resource),
      close: () => pool.close(),
    }
  },
}

/** Those that others have made. */
export const peers = [
  'pg-pool',
  'mysql2',
  'tarn',
  'generic-pool',
  'sequelize-pool',
  'lightning-pool',
] as const

/** `pg-pool @100` is pg-pool with a time limit of 100 ms. */
export function openLender(subject: string, options: LenderOptions): Lender | Promise<Lender> {
  const [name = '', limit] = subject.split(' @')
  const make = lenders[name]
  if (make === undefined) throw new Error(`there is no pool ${name}`)
  return make(limit === undefined ? options : { ...options, timeoutMs: Number(limit) })
}

function rockpool(pool: {
  acquire(): Promise<Lease<Resource>>
  tryAcquire(): Lease<Resource> | undefined
  close(options: { drainTimeoutMs: number }): Promise<unknown>
}): Lender {
  return {
    acquire: () => pool.acquire(),
    release: (lease) => (lease as Lease<Resource>).release(),
    tryAcquire: () => pool.tryAcquire(),
    close: () => pool.close({ drainTimeoutMs: 0 }),
  }
}

function ourOptions({ max, timeoutMs }: LenderOptions): { max: number; acquireTimeoutMs?: number } {
  return timeoutMs === undefined ? { max } : { max, acquireTimeoutMs: timeoutMs }
}

function factory(source: LenderOptions['source']): Factory {
  return { create: () => source.open(), destroy: () => {} }
}

function timeout(timeoutMs: number | undefined): { acquireTimeoutMillis?: number } {
  return timeoutMs === undefined ? {} : { acquireTimeoutMillis: timeoutMs }
}

function generic(pool: Generic, close: () => unknown): Lender {
  return {
    acquire: () => pool.acquire(),
    release: (resource) => void pool.release(resource as Resource),
    close,
  }
}

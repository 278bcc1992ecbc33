import { pg } from '../../src/drivers/pg/index.ts'
import { createPool, type SqlPool } from '../../src/index.ts'
import { peer } from '../harness/packages.ts'
import type { Server } from '../harness/scenario.ts'

/** What is asked of a database in the scenarios. Each method resolves when the answer is there. */
export interface Database {
  selectOne(): Promise<unknown>
  /** By primary key, prepared. */
  lookup(id: number): Promise<unknown>
  /** 20 ms in the server. */
  slow(): Promise<unknown>
  borrowed?(): Promise<unknown>
  /** Reads a row and changes it. */
  transaction?(id: number): Promise<unknown>
  close(): Promise<unknown>
}

export const ROWS = 10_000
const MAX = 10
const ONE = 'select 1'
const LOOKUP = 'select id, name, balance from accounts where id = $1'
const UPDATE = 'update accounts set balance = balance + 1 where id = $1'
const SLOW = 'select pg_sleep(0.02)'

interface Client {
  pipeline?: boolean
  connect(): Promise<unknown>
  query(
    text: string | { name?: string; text: string; values?: unknown[] },
    values?: unknown[],
  ): Promise<unknown>
  end(): Promise<void>
}

interface PgModule {
  readonly Client: new (config: object) => Client
}

interface PgPool {
  query: Client['query']
  connect(): Promise<Client & { release(): void }>
  end(): Promise<void>
}

type Sql = ((texts: TemplateStringsArray, ...values: unknown[]) => Promise<unknown>) & {
  begin(work: (sql: Sql) => Promise<unknown>): Promise<unknown>
  reserve(): Promise<Sql & { release(): void }>
  end(): Promise<void>
}

const prepared = (id: number) => ({ name: 'lookup', text: LOOKUP, values: [id] })
const preparedUpdate = (id: number) => ({ name: 'update', text: UPDATE, values: [id] })

/** Everybody uses the same copy of `pg`. */
function pgModule(): PgModule {
  return peer<PgModule>('pg')
}

type Config = { host: string; port: number; user: string; database: string }

const databases: Readonly<Record<string, (config: Config) => Promise<Database> | Database>> = {
  rockpool: (config) => rockpool(config, {}),
  'rockpool (lending)': (config) => rockpool(config, { multiplex: 'off' }),
  "rockpool, pg's own query": (config) => {
    const pool = ourPool(config, {})
    return {
      ...common(pool),
      async borrowed() {
        const lease = await pool.acquire()
        try {
          return await lease.connection.query(ONE)
        } finally {
          lease.release()
        }
      },
    }
  },
  'pg-pool': (config) => {
    const Pool = peer<new (options: object) => PgPool>('pg-pool')
    const pool = new Pool({ ...config, max: MAX, Client: pgModule().Client })
    return {
      selectOne: () => pool.query(ONE),
      lookup: (id) => pool.query(prepared(id)),
      slow: () => pool.query(SLOW),
      async borrowed() {
        const client = await pool.connect()
        try {
          return await client.query(ONE)
        } finally {
          client.release()
        }
      },
      async transaction(id) {
        const client = await pool.connect()
        try {
          await client.query('BEGIN')
          await client.query(prepared(id))
          await client.query(preparedUpdate(id))
          await client.query('COMMIT')
        } finally {
          client.release()
        }
      },
      close: () => pool.end(),
    }
  },
  'postgres.js': ({ host, port, user, database }) => {
    const postgres = peer<(options: object) => Sql>('postgres')
    const sql = postgres({ host, port, user, database, max: MAX })
    return {
      selectOne: () => sql`select 1`,
      lookup: (id) => sql`select id, name, balance from accounts where id = ${id}`,
      slow: () => sql`select pg_sleep(0.02)`,
      async borrowed() {
        const reserved = await sql.reserve()
        try {
          return await reserved`select 1`
        } finally {
          reserved.release()
        }
      },
      transaction: (id) =>
        sql.begin(async (tx) => {
          await tx`select id, name, balance from accounts where id = ${id}`
          await tx`update accounts set balance = balance + 1 where id = ${id}`
        }),
      close: () => sql.end(),
    }
  },
  'tarn + pg': (config) => {
    interface Tarn {
      acquire(): { promise: Promise<Client> }
      release(client: Client): unknown
      destroy(): Promise<unknown>
    }
    const { Pool } = peer<{ Pool: new (options: object) => Tarn }>('tarn')
    const create = () => connect(config, false)
    const pool = new Pool({ min: 0, max: MAX, create, destroy: (client: Client) => client.end() })
    return lending(
      () => pool.acquire().promise,
      (client) => pool.release(client),
      () => pool.destroy(),
    )
  },
  'generic-pool + pg': (config) => {
    interface Generic {
      acquire(): Promise<Client>
      release(client: Client): unknown
      clear(): Promise<unknown>
    }
    const { createPool: create } = peer<{ createPool(f: object, o: object): Generic }>('generic-pool')
    const factory = { create: () => connect(config, false), destroy: (client: Client) => client.end() }
    const pool = create(factory, { min: 0, max: MAX })
    return lending(
      () => pool.acquire(),
      (client) => pool.release(client),
      () => pool.clear(),
    )
  },
  'bound: 1 pipelined': (config) => pipelined(config, 1),
  'bound: 10 pipelined': (config) => pipelined(config, MAX),
}

export function openDatabase(subject: string, server: Server, { socket = false } = {}): Promise<Database> {
  const open = databases[subject]
  if (open === undefined) throw new Error(`there is no subject ${subject}`)
  const { host, port, user, socketFolder } = server
  return Promise.resolve(open({ host: socket ? socketFolder : host, port, user, database: 'postgres' }))
}

function ourPool(config: Config, options: { multiplex?: 'off' }): SqlPool<Client> {
  const driver = pg<Client>(config, { module: pgModule() as never })
  return createPool<Client>(driver, { max: MAX, ...options })
}

function common(pool: SqlPool<Client>): Omit<Database, 'borrowed'> {
  return {
    selectOne: () => pool.query(ONE),
    lookup: (id) => pool.query(LOOKUP, [id]),
    slow: () => pool.query(SLOW),
    transaction: (id) =>
      pool.transaction(async (tx) => {
        await tx.query(LOOKUP, [id])
        await tx.query(UPDATE, [id])
      }),
    close: () => pool.close(),
  }
}

function rockpool(config: Config, options: { multiplex?: 'off' }): Database {
  const pool = ourPool(config, options)
  return {
    ...common(pool),
    async borrowed() {
      const lease = await pool.acquire()
      try {
        return await lease.query(ONE)
      } finally {
        lease.release()
      }
    },
  }
}

async function connect(config: Config, pipeline: boolean): Promise<Client> {
  const client = new (pgModule().Client)({ ...config, pipeline })
  await client.connect()
  return client
}

/** Every statement has a connection to itself. */
function lending(
  acquire: () => Promise<Client>,
  release: (client: Client) => unknown,
  close: () => Promise<unknown>,
): Database {
  const run = async (...query: Parameters<Client['query']>) => {
    const client = await acquire()
    try {
      return await client.query(...query)
    } finally {
      release(client)
    }
  }
  return {
    selectOne: () => run(ONE),
    lookup: (id) => run(prepared(id)),
    slow: () => run(SLOW),
    borrowed: () => run(ONE),
    async transaction(id) {
      const client = await acquire()
      try {
        await client.query('BEGIN')
        await client.query(prepared(id))
        await client.query(preparedUpdate(id))
        await client.query('COMMIT')
      } finally {
        release(client)
      }
    },
    close,
  }
}

/** No pool at all: statements go to the clients in turn, whatever is in flight there. Nobody could borrow one. */
async function pipelined(config: Config, count: number): Promise<Database> {
  const clients = await Promise.all(Array.from({ length: count }, () => connect(config, true)))
  let turn = 0
  const next = () => clients[turn++ % count] as Client
  return {
    selectOne: () => next().query(ONE),
    lookup: (id) => next().query(prepared(id)),
    slow: () => next().query(SLOW),
    close: () => Promise.all(clients.map((client) => client.end())),
  }
}

/** The table that the scenarios read and change. */
export async function prepareServer(server: Server): Promise<void> {
  const { host, port, user } = server
  const client = await connect({ host, port, user, database: 'postgres' }, false)
  await client.query(`create table accounts (id integer primary key, name text not null, balance bigint not null);
    insert into accounts select n, 'account ' || n, 0 from generate_series(1, ${ROWS}) n;
    analyze accounts`)
  await client.end()
}

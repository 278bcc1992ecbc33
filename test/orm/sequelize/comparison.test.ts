import { type Options, QueryTypes, Sequelize } from 'sequelize'
import { beforeEach } from 'vitest'
import { rockpoolSequelize, type SequelizePoolOptions } from '../../../src/orm/sequelize/index.ts'
import { FaultProxy } from '../../../src/testing/index.ts'
import { type Comparison, compare } from '../../comparison/comparison.ts'
import { ask, eventually, startPostgres } from '../../support/postgres.ts'
import { PATIENCE_MS, settlesWithin } from '../support.ts'
import { hushed } from './lab.ts'

const server = await startPostgres()
await ask(
  server,
  `create table parent (id int primary key);
   create table child (parent int references parent deferrable initially deferred);
   create table notes (word text);
   create role few login password 'few' connection limit 1`,
)
beforeEach(hushed)

/** Makes a Sequelize on its own pool, or on ours. */
interface Maker {
  readonly patienceMs: number
  open(options?: Options, more?: { url?: string; ours?: SequelizePoolOptions }): Sequelize
}

const make: Maker['open'] = (options = {}, { url = server.url() } = {}) =>
  new Sequelize(url, { logging: false, ...options })

const sides = {
  original: "Sequelize's own pool",
  theirs: async (): Promise<Maker> => ({ open: make, patienceMs: PATIENCE_MS.theirs }),
  ours: async (): Promise<Maker> => ({
    open: (options, more) => rockpoolSequelize(make(options, more), more?.ours),
    patienceMs: PATIENCE_MS.ours,
  }),
}

/** The facade that Sequelize keeps. */
interface Pool {
  readonly size: number
  readonly available: number
  readonly using: number
  readonly waiting: number
}

interface Manager {
  readonly pool: Pool
  getConnection(): Promise<object>
  releaseConnection(connection: object): void
}

const managerOf = (sequelize: Sequelize) => sequelize.connectionManager as unknown as Manager

async function select<R>(sequelize: Sequelize, sql: string, options: object = {}): Promise<R> {
  const rows = await sequelize.query(sql, { type: QueryTypes.SELECT, ...options })
  return (rows as unknown[])[0] as R
}

const nameOf = (error: unknown) => (error as Error).name
const sessionOf = async (sequelize: Sequelize, options: object = {}) =>
  (await select<{ pid: number }>(sequelize, 'select pg_backend_pid() as pid', options)).pid
const kill = (session: number) => ask(server, 'select pg_terminate_backend($1, 10000)', [session])

/** What comes of it, unless it takes longer than anybody would wait. */
async function within(ms: number, work: Promise<string>): Promise<string> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('no answer'), ms)
  })
  const answer = await Promise.race([work.catch(nameOf), late])
  clearTimeout(timer)
  return answer
}

type Row = [
  name: string,
  verdict: Comparison<Maker>['verdict'],
  run: Comparison<Maker>['run'],
  reason?: string,
]

const rows: Row[] = [
  [
    'nine transactions over three connections',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 3 } })
      const seen = await Promise.all(
        Array.from({ length: 9 }, () =>
          sequelize.transaction(async (transaction) => {
            const first = await sessionOf(sequelize, { transaction })
            return first === (await sessionOf(sequelize, { transaction }))
          }),
        ),
      )
      await sequelize.close()
      return seen.every(Boolean) ? 'each on one connection' : 'mixed'
    },
  ],
  [
    'values: a date, a decimal, a big number',
    'same',
    async ({ open }) => {
      const sequelize = open()
      const row = await select<object>(sequelize, `select date '2024-02-29' as d, 1.50 as n, 12::int8 as b`)
      await sequelize.close()
      return JSON.stringify(row)
    },
  ],
  [
    'an error within a transaction',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1 } })
      const error = await sequelize
        .transaction((transaction) => sequelize.query('select 1/0', { transaction }))
        .catch(nameOf)
      const { using } = managerOf(sequelize).pool
      await sequelize.close()
      return `${error}, ${using} in use`
    },
  ],
  [
    'a COMMIT that the server refuses',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1 } })
      const error = await sequelize
        .transaction((transaction) => sequelize.query('insert into child values (7)', { transaction }))
        .catch(nameOf)
      await select(sequelize, 'select 1')
      await sequelize.close()
      return `${error}, and the pool goes on`
    },
  ],
  [
    'the numbers of `connectionManager.pool` while one of three connections is held',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 3 } })
      const held = await sequelize.transaction()
      const { size, available, using, waiting } = managerOf(sequelize).pool
      await held.commit()
      await sequelize.close()
      return `size ${size}, available ${available}, using ${using}, waiting ${waiting}`
    },
  ],
  [
    'a connection is given back twice',
    'same',
    async ({ open }) => {
      const sequelize = open()
      const manager = managerOf(sequelize)
      const connection = await manager.getConnection()
      manager.releaseConnection(connection)
      manager.releaseConnection(connection)
      const { using, available } = manager.pool
      await sequelize.close()
      return `not heard: ${using} in use, ${available} available`
    },
  ],
  [
    'who waits longest is served first',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1 } })
      const held = await sequelize.transaction()
      const order: number[] = []
      const waiters = [1, 2, 3].map(async (i) => {
        await select(sequelize, 'select 1')
        order.push(i)
      })
      await held.commit()
      await Promise.all(waiters)
      await sequelize.close()
      return order.join(', ')
    },
  ],
  [
    '`validate` refuses a connection',
    'same',
    async ({ open }) => {
      const unwell = new Set<unknown>()
      const validate = (connection?: unknown) => !unwell.has(connection)
      const sequelize = open({ pool: { max: 1, validate } })
      const first = await sessionOf(sequelize)
      sequelize.addHook('afterPoolAcquire', (connection) => void unwell.add(connection))
      await select(sequelize, 'select 1')
      const next = await sessionOf(sequelize)
      await sequelize.close()
      return first === next ? 'it is lent all the same' : 'another one is lent'
    },
  ],
  [
    '`maxUses: 2`',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1, maxUses: 2 } })
      const first = await sessionOf(sequelize)
      const [second, third] = [await sessionOf(sequelize), await sessionOf(sequelize)]
      await sequelize.close()
      return first === second && third !== first ? 'a new connection for the third' : 'something else'
    },
  ],
  [
    '`idle: 30`',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1, idle: 30, evict: 10 } })
      await select(sequelize, 'select 1')
      const closed = eventually(() => {
        if (managerOf(sequelize).pool.size > 0) throw new Error('still open')
        return 'closed when it has been idle for so long'
      })
      const answer = await within(PATIENCE_MS.ours, closed)
      await sequelize.close()
      return answer
    },
  ],
  [
    'no server',
    'same',
    async ({ open }) => {
      const sequelize = open({}, { url: server.url().replace(/:\d+\//, ':1/') })
      const answer = await within(
        PATIENCE_MS.ours,
        sequelize.authenticate().then(() => 'connected'),
      )
      await sequelize.close()
      return answer
    },
  ],
  [
    'no such database',
    'same',
    async ({ open }) => {
      const url = new URL(server.url())
      url.pathname = '/nowhere'
      const sequelize = open({}, { url: url.href })
      const error = await sequelize.authenticate().catch((reason: unknown) => reason)
      await sequelize.close()
      return `${nameOf(error)}, ${(error as { parent: { code: string } }).parent.code}`
    },
  ],
  [
    'no connection is free within `acquire`',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1, acquire: 2_500 } })
      const held = await sequelize.transaction()
      const answer = await within(
        PATIENCE_MS.ours,
        select(sequelize, 'select 1').then(() => 'served'),
      )
      await held.rollback()
      await sequelize.close()
      return answer
    },
  ],
  [
    'what that error says',
    'better',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1, acquire: 2_500 } })
      const held = await sequelize.transaction()
      const error = await select(sequelize, 'select 1').catch((reason: unknown) => reason)
      await held.rollback()
      await sequelize.close()
      return /1 leased, 0 idle/.test((error as Error).message) ? 'who holds what' : (error as Error).message
    },
    'a timeout has many reasons, and the message tells which one it was',
  ],
  [
    'connections opened for the first statement',
    'better',
    async ({ open }) => {
      const sequelize = open()
      let opened = 0
      sequelize.addHook('beforeConnect', () => void opened++)
      await select(sequelize, 'select 1')
      await sequelize.close()
      return String(opened)
    },
    'the version is asked of the first connection of the pool, rather than of one beside it',
  ],
  [
    'a statement `START TRANSACTION` that nobody ends',
    'better',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1 } })
      await sequelize.query('delete from notes')
      await sequelize.query('start transaction')
      await sequelize.query(`insert into notes values ('kept?')`)
      const [row] = await ask<{ n: number }>(server, 'select count(*)::int as n from notes')
      await sequelize.query('rollback')
      await sequelize.close()
      return row?.n === 1 ? 'is rolled back at once' : 'swallows what others write'
    },
    'the state of the transaction is read from the protocol when a connection comes back',
  ],
  [
    'the server ends a session that a transaction holds, `max: 1`',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 1, acquire: 30_000 } })
      const transaction = await sequelize.transaction()
      await kill(await sessionOf(sequelize, { transaction }))
      const answer = await within(
        PATIENCE_MS.ours,
        sessionOf(sequelize).then(() => 'the next caller is served'),
      )
      await transaction.rollback().catch(() => undefined)
      await sequelize.close()
      return answer
    },
  ],
  [
    'an idle connection no longer answers, its socket stays open',
    'better',
    async ({ open, patienceMs }) => {
      const proxy = await new FaultProxy({ host: '127.0.0.1', port: server.port }).listen()
      const ours = { validateAfterIdleMs: 0, validateTimeoutMs: 150 }
      const sequelize = open({ pool: { max: 1 } }, { url: proxy.url(server.url()), ours })
      await select(sequelize, 'select 1')
      proxy.onConnection = () => void proxy.heal()
      proxy.set({ silent: true })
      const answer = select(sequelize, 'select 1').then(() => 'a new one is lent')
      const found = await within(patienceMs, answer)
      proxy.heal()
      await answer.catch(() => undefined)
      await sequelize.close()
      await proxy[Symbol.asyncDispose]()
      return found === 'no answer' ? 'it is lent, and the statement hangs' : found
    },
    'the server is asked before a connection is lent that was idle for longer than `validateAfterIdleMs`',
  ],
  [
    'a server that takes connections and says nothing, `acquire: 100`',
    'better',
    async ({ open, patienceMs }) => {
      const proxy = await new FaultProxy({ host: '127.0.0.1', port: server.port }).listen()
      proxy.set({ silent: true })
      const ours = { connectTimeoutMs: 80 }
      const sequelize = open({ pool: { acquire: 100 } }, { url: proxy.url(server.url()), ours })
      const answer = await within(
        patienceMs,
        sequelize.authenticate().then(() => 'connected'),
      )
      await proxy[Symbol.asyncDispose]()
      await sequelize.close()
      return answer === 'no answer' ? 'callers wait for ever' : 'an error in time'
    },
    'every connect has a limit, `connectTimeoutMs`',
  ],
  [
    'the server has no connection left to give',
    'better',
    async ({ open }) => {
      const url = server.url().replace(/\/\/[^@]*@/, '//few:few@')
      const first = make({}, { url })
      const holding = await eventually(() => first.transaction())
      const second = open({}, { url })
      const answer = within(
        PATIENCE_MS.ours,
        select(second, 'select 1').then(() => 'callers wait until it has'),
      )
      await settlesWithin(1_500, answer)
      await holding.commit()
      await first.close()
      const found = await answer
      await second.close()
      return found
    },
    'room on the server comes back as connections do, and `acquire` is the limit',
  ],
  [
    '`min: 2`',
    'differs',
    async ({ open, patienceMs }) => {
      const sequelize = open({ pool: { min: 2 } })
      const opened = eventually(() => {
        if (managerOf(sequelize).pool.size < 2) throw new Error('not yet')
        return 'opened in advance'
      }, patienceMs)
      const answer = await opened.catch(() => 'opened when a connection has been lost')
      await sequelize.close()
      return answer
    },
    'they are there for the first callers',
  ],
  [
    'close while a transaction is under way',
    'same',
    async ({ open }) => {
      const sequelize = open({ pool: { max: 2 } })
      const transaction = await sequelize.transaction()
      const closed = sequelize.close()
      const answer = await select<{ one: number }>(sequelize, 'select 1 as one', { transaction })
      await transaction.commit()
      await closed
      return `it may end: ${JSON.stringify(answer)}`
    },
  ],
  [
    'use after close',
    'same',
    async ({ open }) => {
      const sequelize = open()
      await sequelize.close()
      return select(sequelize, 'select 1').then(
        () => 'served',
        (error: Error) => error.message,
      )
    },
  ],
]

compare(
  'docs/orm/sequelize.md',
  sides,
  rows.map(([name, verdict, run, reason]) => ({ name, verdict, run, ...(reason && { reason }) })),
)

import pg from 'pg'
import type { PgPoolClient } from '../../../src/compat/pg-pool/index.ts'
import { behaviours, crashes, failure, pause, until, within } from './subject.ts'

/** `connect`, `release`, the counts, the events, and what wears a connection out. */
export const checkouts = behaviours([
  {
    name: 'connect calls back with the client and its release',
    verdict: 'same',
    run: (subject) =>
      new Promise((resolve) => {
        const pool = subject.pool()
        pool.connect((error, client, done) => {
          done()
          resolve(`${error} ${client instanceof pg.Client} ${pool.idleCount}`)
        })
      }),
  },
  {
    name: 'the callback of connect throws',
    verdict: 'same',
    async run(subject) {
      let called = false
      const crashed = await crashes(async () => {
        subject.pool().connect(() => {
          called = true
          throw new Error('mine')
        })
        await until(() => called)
      })
      return `uncaught: ${crashed}`
    },
  },
  {
    name: 'the counts, idle, out and waiting',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const counts: string[] = []
      const count = () => counts.push(`${pool.totalCount}/${pool.idleCount}/${pool.waitingCount}`)
      count()
      const client = await pool.connect()
      count()
      const second = pool.connect()
      count()
      client.release()
      ;(await second).release()
      count()
      return counts.join(' ')
    },
  },
  {
    name: 'events of a checkout',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      const heard: string[] = []
      for (const event of ['connect', 'acquire', 'release', 'remove'] as const)
        pool.on(event, (...facts: unknown[]) => heard.push(`${event}(${facts.length})`))
      const first = await pool.connect()
      first.release()
      const second = await pool.connect()
      second.release(true)
      await until(() => heard.includes('remove(1)'))
      return heard.join(' ')
    },
  },
  {
    name: 'what a connect listener sends comes before the first statement of whoever asked',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      pool.on('connect', (client: PgPoolClient) => client.query("set application_name = 'mine'"))
      return JSON.stringify((await pool.query('show application_name')).rows)
    },
  },
  {
    name: 'release twice',
    verdict: 'same',
    async run(subject) {
      const client = await subject.pool().connect()
      client.release()
      return failure((async () => client.release())())
    },
  },
  {
    name: 'a late second release, when somebody else has the connection',
    verdict: 'better',
    reason:
      'each checkout has a release of its own: a stale one never takes the connection from its next owner',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const stale = await pool.connect()
      stale.release()
      await pool.connect()
      await failure((async () => stale.release())())
      return pool.idleCount === 0 ? 'is refused' : "gives back somebody else's client"
    },
  },
  {
    name: 'a statement on a client that was released',
    verdict: 'better',
    reason: 'it would run in the session, or the transaction, of the next owner',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const stale = await pool.connect()
      stale.release()
      await pool.connect()
      const what = await failure(stale.query('select 1'))
      return what === 'succeeds' ? 'runs' : what.replace(/:.*/, '')
    },
  },
  {
    name: 'release in an open transaction',
    verdict: 'better',
    reason: 'the next owner would work in it, and lose its work with it',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const client = await pool.connect()
      await client.query('begin; create temp table t (i int)')
      client.release()
      const { rows } = await pool.query("select to_regclass('t') as t")
      return rows[0].t === null ? 'rolls it back' : 'leaves it open'
    },
  },
  {
    name: 'release(true) and release(error) close the connection',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      ;(await pool.connect()).release(true)
      const after = [pool.totalCount]
      ;(await pool.connect()).release(new Error('mine'))
      after.push(pool.totalCount)
      return String(after)
    },
  },
  {
    name: 'whoever has waited longest is served first',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const client = await pool.connect()
      const order: number[] = []
      const waiting = [1, 2, 3].map(async (n) => {
        const mine = await pool.connect()
        order.push(n)
        mine.release()
      })
      client.release()
      await Promise.all(waiting)
      return String(order)
    },
  },
  {
    name: 'a client comes back while another connects for the waiter',
    verdict: 'better',
    reason: 'the first free connection serves, whichever it is',
    async run(subject) {
      let connect: () => void = () => undefined
      const connected = new Promise<void>((resolve) => {
        connect = resolve
      })
      let isFirst = true
      const pool = subject.pool({ max: 2, onConnect: () => (isFirst ? undefined : connected) })
      const first = await pool.connect()
      isFirst = false
      const second = pool.connect()
      first.release()
      const served = await within(second, subject.patienceMs)
      connect()
      ;(await second).release()
      return served === 'waits for ever' ? 'and lies idle beside the waiter' : 'and serves at once'
    },
  },
  {
    name: 'maxUses',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ maxUses: 2 })
      const seen = new Set<number>()
      for (let i = 0; i < 4; i++) {
        const client = await pool.connect()
        seen.add(client.processID)
        client.release()
      }
      return `${seen.size} connections for 4 uses`
    },
  },
  {
    name: 'maxLifetimeSeconds, checked out: it is counted as expired, and ends on return',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ maxLifetimeSeconds: 0.2 })
      const client = await pool.connect()
      await pause(300)
      const expired = pool.expiredCount
      client.release()
      await until(() => pool.totalCount === 0)
      return `${expired} expired, then ${pool.totalCount} open`
    },
  },
  {
    name: 'maxLifetimeSeconds, idle',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ maxLifetimeSeconds: 0.2 })
      await pool.query('select 1')
      return `ends: ${await until(() => pool.totalCount === 0)}`
    },
  },
  {
    name: 'idleTimeoutMillis',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ idleTimeoutMillis: 50 })
      await Promise.all([pool.query('select 1'), pool.query('select 1')])
      return `ends: ${await until(() => pool.totalCount === 0)}`
    },
  },
  {
    name: 'idleTimeoutMillis: 0',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ idleTimeoutMillis: 0 })
      await pool.query('select 1')
      await pause(100)
      return `${pool.totalCount} open`
    },
  },
  {
    name: 'min',
    verdict: 'better',
    reason: 'pg-pool only does not close the last ones; here they are opened ahead, and again after a loss',
    async run(subject) {
      const pool = subject.pool({ min: 2 })
      return (await until(() => pool.totalCount === 2, subject.patienceMs)) ? 'opens them' : 'opens none'
    },
  },
  {
    name: 'max as a text, as the environment gives it, and as undefined',
    verdict: 'same',
    async run(subject) {
      const text = subject.pool({ max: '2' as never })
      const missing = subject.pool({ max: undefined })
      const all = [1, 2, 3].map(() => text.query('select pg_sleep(0.05)'))
      await until(() => text.totalCount === 2)
      await Promise.all(all)
      return `${text.totalCount} ${missing.options.max}`
    },
  },
  {
    name: 'a max that is no number',
    verdict: 'better',
    reason: 'pg-pool opens as many connections as there are callers',
    async run(subject) {
      return failure((async () => void subject.pool({ max: 'ten' as never }))())
    },
  },
  {
    name: 'the defaults',
    verdict: 'same',
    async run(subject) {
      const { max, min, idleTimeoutMillis, maxUses, maxLifetimeSeconds, allowExitOnIdle } =
        subject.pool().options
      return [max, min, idleTimeoutMillis, maxUses, maxLifetimeSeconds, allowExitOnIdle].join(' ')
    },
  },
  {
    name: 'the password in options',
    verdict: 'same',
    async run(subject) {
      const { options } = subject.pool({ password: 'secret' })
      return `${options.password === 'secret' ? 'is there' : 'is not there'}, ${Object.keys(options).includes('password') ? 'shown' : 'hidden'}`
    },
  },
  {
    name: "a Client of one's own",
    verdict: 'same',
    async run(subject) {
      class Mine extends pg.Client {}
      const client = await subject.pool({ Client: Mine }).connect()
      client.release()
      return String(client instanceof Mine)
    },
  },
  {
    name: 'the holder ends the client himself',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const client = await pool.connect()
      await client.end()
      client.release()
      return `${await within(failure(pool.query('select 1')))}`
    },
  },
  {
    name: "listeners of one's own hear notifications",
    verdict: 'same',
    async run(subject) {
      const client = await subject.pool().connect()
      const heard: string[] = []
      client.on('notification', ({ payload }) => heard.push(payload))
      await client.query("listen c; notify c, 'x'")
      await until(() => heard.length > 0)
      client.release(true)
      return String(heard)
    },
  },
])

import { behaviours, failure, until, within } from './subject.ts'

/** The end of a pool. */
export const endings = behaviours([
  {
    name: 'end, and what comes after',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      await pool.query('select 1')
      await pool.end()
      const state = `${pool.ending} ${pool.ended} ${pool.totalCount}`
      return `${state}; query ${await failure(pool.query('select 1'))}; connect ${await failure(pool.connect())}`
    },
  },
  {
    name: 'end twice',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      await pool.end()
      return failure(pool.end())
    },
  },
  {
    name: 'end calls back',
    verdict: 'same',
    run: (subject) => new Promise((resolve) => subject.pool().end((error) => resolve(`${error}`))),
  },
  {
    name: 'connect by callback after the end',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      await pool.end()
      return new Promise((resolve) => pool.connect((error) => resolve(`${error?.message}`)))
    },
  },
  {
    name: 'end waits for a client that is checked out',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      const client = await pool.connect()
      let ended = false
      const end = pool.end().then(() => {
        ended = true
      })
      await client.query('select pg_sleep(0.1)')
      const before = ended
      client.release()
      await end
      return `${before} then ${ended}`
    },
  },
  {
    name: 'statements under way when it ends are finished',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      const running = pool.query('select 1 as a')
      const end = pool.end()
      const { rows } = await running
      await end
      return JSON.stringify(rows)
    },
  },
  {
    name: 'callers who waited before it ends',
    verdict: 'better',
    reason: 'whoever came before the end is served',
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const all = [1, 2, 3].map(() => failure(pool.query('select pg_sleep(0.02)')))
      const end = pool.end()
      return String(await within(Promise.all([...all, end.then(() => 'ended')]), subject.patienceMs))
    },
  },
  {
    name: 'a client that somebody forgot to release, when it ends',
    verdict: 'better',
    reason:
      'after drainTimeoutMillis (10 s; here 0.1 s) without a statement it is closed; what runs is waited for',
    async run(subject) {
      const pool = subject.pool({ drainTimeoutMillis: 100 })
      await pool.connect()
      return within(
        pool.end().then(() => 'ends'),
        subject.patienceMs,
      )
    },
  },
  {
    name: 'sockets, when end resolves',
    verdict: 'better',
    reason: 'a process may exit, or a test drop its database, right after it',
    async run(subject) {
      const pool = subject.pool()
      const clients = await Promise.all([pool.connect(), pool.connect()])
      for (const client of clients) client.release()
      await pool.end()
      const open = clients.filter(({ connection }) => !connection.stream.destroyed)
      await until(() => clients.every(({ connection }) => connection.stream.destroyed))
      return `${open.length} open`
    },
  },
  {
    name: 'idle clients are closed at once when it ends',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      const [kept, idle] = await Promise.all([pool.connect(), pool.connect()])
      idle?.release()
      const end = pool.end()
      await until(() => pool.totalCount === 1)
      const open = pool.totalCount
      kept?.release()
      await end
      return `${open} left`
    },
  },
])

import { startSilentServer } from '../../support/postgres.ts'
import { behaviours, crashes, failure, pause, until, within } from './subject.ts'

/** Servers that refuse, say nothing or die, hooks that fail. */
export const failures = behaviours([
  {
    name: 'nobody listens at that port',
    verdict: 'same',
    run: (subject) => failure(subject.pool({ connectionString: 'postgres://localhost:1/x' }).connect()),
  },
  {
    name: 'the database does not exist',
    verdict: 'same',
    run: (subject) => failure(subject.pool({ connectionString: `${subject.url}_not` }).query('select 1')),
  },
  {
    name: 'a failed connect, by callback',
    verdict: 'same',
    run: (subject) =>
      new Promise((resolve) => {
        subject.pool({ connectionString: 'postgres://localhost:1/x' }).connect((error, client, done) => {
          done()
          resolve(`${(error as NodeJS.ErrnoException).code} ${client}`)
        })
      }),
  },
  {
    name: 'all who wait, when nobody listens',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ connectionString: 'postgres://localhost:1/x', max: 2 })
      const all = await within(Promise.all([1, 2, 3, 4, 5].map(() => failure(pool.query('select 1')))))
      return String(all)
    },
  },
  {
    name: 'connectionTimeoutMillis, when all clients are out',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ max: 1, connectionTimeoutMillis: 2_000 })
      await pool.query('select 1')
      const client = await pool.connect()
      const what = await failure(pool.connect())
      client.release()
      return `${what}; ${pool.waitingCount} waiting, then ${await failure(pool.query('select 1'))}`
    },
  },
  {
    name: 'connectionTimeoutMillis, when the server says nothing',
    verdict: 'same',
    async run(subject) {
      const { port } = await startSilentServer()
      const connectionString = `postgres://127.0.0.1:${port}/x`
      return failure(subject.pool({ connectionString, connectionTimeoutMillis: 100 }).query('select 1'))
    },
  },
  {
    name: 'onConnect is waited for',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ onConnect: (client) => client.query("set application_name = 'hooked'") })
      return JSON.stringify((await pool.query('show application_name')).rows)
    },
  },
  {
    name: 'onConnect fails',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({
        onConnect: () => {
          throw new Error('not this one')
        },
      })
      const what = await failure(pool.connect())
      return `${what}; ${await until(() => pool.totalCount === 0)}`
    },
  },
  {
    name: 'onConnect never ends',
    verdict: 'better',
    reason: 'connectionTimeoutMillis counts for the hooks too',
    run: (subject) => {
      const pool = subject.pool({
        connectionTimeoutMillis: 2_000,
        onConnect: () => new Promise(() => undefined),
      })
      return within(failure(pool.connect()), 2 * subject.patienceMs)
    },
  },
  {
    name: 'verify refuses a client',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({ verify: (_, done) => done(new Error('not this one')) })
      const what = await failure(pool.query('select 1'))
      return `${what}; ${await until(() => pool.totalCount === 0)}`
    },
  },
  {
    name: 'verify refuses a client: what others hear of it',
    verdict: 'better',
    reason: 'nobody is shown a connection before it is approved',
    async run(subject) {
      const pool = subject.pool({ verify: (_, done) => done(new Error('not this one')) })
      const heard: string[] = []
      for (const event of ['connect', 'acquire', 'release'] as const) pool.on(event, () => heard.push(event))
      await failure(pool.connect())
      await until(() => pool.totalCount === 0)
      return heard.length === 0 ? 'nothing' : heard.join(', ')
    },
  },
  {
    name: 'verify accepts a client',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool({
        verify: (client, done) => client.query('select 1', (error: Error) => done(error)),
      })
      return failure(pool.query('select 1'))
    },
  },
  {
    name: 'the server ends the session in mid-statement of `query`: what the pool emits',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      const heard: string[] = []
      for (const event of ['release', 'remove', 'error'] as const)
        pool.on(event, (error) => heard.push(`${event} ${(error as { code?: string }).code ?? ''}`.trim()))
      await failure(pool.query('select pg_terminate_backend(pg_backend_pid())'))
      await until(() => heard.includes('remove'))
      await pause(50)
      return heard.join(', ')
    },
  },
  {
    name: 'an idle connection dies',
    verdict: 'same',
    async run(subject) {
      const pool = subject.pool()
      const heard: string[] = []
      pool.on('error', (error, client) =>
        heard.push(`${(error as { code?: string }).code} ${typeof client.query}`),
      )
      await pool.query('select 1')
      await subject.kill()
      await until(() => heard.length > 0)
      return `error event: ${heard}; ${pool.totalCount} open, then ${await failure(pool.query('select 1'))}`
    },
  },
  {
    name: 'an idle connection dies, and nobody listens to the pool',
    verdict: 'better',
    reason: 'a connection that nobody uses is no reason to end the process',
    async run(subject) {
      const pool = subject.pool()
      await pool.query('select 1')
      const crashed = await crashes(async () => {
        await subject.kill()
        await until(() => pool.totalCount === 0)
      })
      return crashed.length > 0 ? 'ends the process' : 'is replaced at the next use'
    },
  },
  {
    name: 'a checked-out connection dies, and nobody listens to the client',
    verdict: 'better',
    reason: 'every connection has a listener for as long as it lives',
    async run(subject) {
      const pool = subject.pool()
      pool.on('error', () => undefined)
      const client = await pool.connect()
      const crashed = await crashes(() => subject.kill())
      const next = await failure(client.query('select 1'))
      client.release()
      return `${crashed.length > 0 ? 'ends the process' : 'its next statement fails'}; ${next.replace(/:.*/, '')}`
    },
  },
  {
    name: 'its place, while its holder does not notice',
    verdict: 'better',
    reason: "a dead connection takes nobody's place",
    async run(subject) {
      const pool = subject.pool({ max: 1 })
      const client = await pool.connect()
      client.on('error', () => undefined)
      await subject.kill()
      const what = await within(failure(pool.query('select 1')), subject.patienceMs)
      client.release()
      return what === 'succeeds' ? 'is free at once' : what
    },
  },
  {
    name: 'removeAllListeners on a client, which then dies idle',
    verdict: 'better',
    reason: "the pool's own listeners are not the borrower's to remove",
    async run(subject) {
      const pool = subject.pool()
      pool.on('error', () => undefined)
      const client = await pool.connect()
      client.release()
      const again = await pool.connect()
      again.removeAllListeners()
      const crashed = await crashes(() => subject.kill())
      again.release()
      return crashed.length > 0 ? 'ends the process' : 'is noticed'
    },
  },
])

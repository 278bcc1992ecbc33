import type { QueryOptions } from '../../../src/index.ts'
import { outcomeOf } from './judge.ts'
import { ask, someOptions, soon, type User } from './user.ts'

export const INSERT = 'insert into ledger (token) values ($1)'

/** Some look like reads. */
const WRITES = [
  INSERT,
  'with put as (insert into ledger (token) values ($1) returning token) select token from put',
  'select note($1::int) as token',
]

async function write(user: User): Promise<void> {
  const token = user.judge.token()
  const { idempotent: _, ...options } = someOptions(user) ?? {}
  const statement = { sql: user.random.pick(WRITES), params: [token], options }
  user.ledger.wrote(token, await outcomeOf(ask(user, user.pool, statement), options))
}

/** Run again after a loss, and so it must succeed. */
async function writeOnce(user: User): Promise<void> {
  const token = user.judge.token()
  const options: QueryOptions = { idempotent: true }
  const sql = 'insert into once (token) values ($1) on conflict do nothing'
  user.once.wrote(token, await outcomeOf(ask(user, user.pool, { sql, params: [token], options }), options))
}

/** The connection dies when the write has taken effect and its answer has not been sent. */
async function writeAndDie(user: User): Promise<void> {
  const token = user.judge.token()
  const statement = { sql: 'call note_and_die($1)', params: [token] }
  const asked = ask(user, user.pool, statement, { must: ['CONNECTION_LOST'] })
  user.ledger.wrote(token, await outcomeOf(asked))
}

/** Several at once on one lease, of which one is given up before its turn or while it runs. */
async function queued(user: User): Promise<void> {
  const [one, two, three] = [user.judge.token(), user.judge.token(), user.judge.token()]
  await user.pool.use(async (lease) => {
    const options = { signal: soon(user.random) }
    const put = (token: number, limits?: QueryOptions) => {
      const statement = { sql: INSERT, params: [token], ...(limits === undefined ? {} : { options: limits }) }
      return outcomeOf(ask(user, lease, statement), limits)
    }
    const outcomes = await Promise.all([put(one), put(two, options), put(three)])
    ;[one, two, three].forEach((token, at) => {
      user.ledger.wrote(token, outcomes[at] ?? { value: undefined })
    })
  })
}

export const writes: readonly (readonly [number, (user: User) => Promise<void>])[] = [
  [12, write],
  [2, writeOnce],
  [0.5, writeAndDie],
  [1, queued],
]

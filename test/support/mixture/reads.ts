import { createHash } from 'node:crypto'
import type { QueryOptions, Row } from '../../../src/index.ts'
import { outcomeOf } from './judge.ts'
import { ask, type Statement, someOptions, type User } from './user.ts'

/** What the session is: nobody may see what somebody else has made of it. */
const SESSION = `current_setting('application_name') as app, current_setting('mixed.tenant', true) as tenant,
  (select owner from shadow) as owner`
const READ = `select $1::int as token, ${SESSION}`
const BIG = `select $1::int as token, i, repeat(md5($1::text), 6) as filler from generate_series(1, $2::int) i`
const WORK = 'select $1::int as token, count(*)::int as n from generate_series(1, $2::int)'
const SHAPE = 'select $1::int as token, shape.* from shape'
const NUMBER = 'select ($1::text)::int as token'
const LATE = `select (case when i = $2::int then $1::text else '7' end)::int as token from generate_series(1, 1000) i`
const STREAMED = 'select $1::int as token, i from generate_series(1, 300) i'

export interface Owner {
  readonly app?: string
  readonly tenant?: string
}

/** Reads a token and the session of whatever connection serves it. */
export async function look(
  user: User,
  on: Parameters<typeof ask>[1] = user.pool,
  { owner = {}, options }: { owner?: Owner; options?: QueryOptions | undefined } = {},
): Promise<void> {
  const token = user.judge.token()
  const { rows } = await ask(user, on, statement(READ, [token], options))
  user.judge.assert(rows.length === 1 && isClean(rows[0], token, owner), () => {
    return `token ${token} of ${JSON.stringify(owner)} got ${JSON.stringify(rows)}`
  })
}

function isClean(row: Row | undefined, token: number, { app = 'rockpool', tenant = '' }: Owner): boolean {
  if (row?.token !== token || row.app !== app || row.owner !== 'everybody') return false
  return (row.tenant ?? '') === tenant
}

function statement(sql: string, params: readonly unknown[], options: QueryOptions | undefined): Statement {
  return options === undefined ? { sql, params } : { sql, params, options }
}

/** A text without parameters, which goes by the simple protocol; there are few, so that they get known. */
async function simple(user: User): Promise<void> {
  const token = user.random.integer(1, 40)
  const { rows } = await ask(user, user.pool, { sql: `select ${token} as token, ${SESSION}` })
  user.judge.assert(rows.length === 1 && isClean(rows[0], token, {}), () => {
    return `simple ${token} got ${JSON.stringify(rows)}`
  })
}

async function big(user: User): Promise<void> {
  const token = user.judge.token()
  const count = user.random.integer(0, user.random.chance(0.05) ? 2000 : 50)
  const { rows } = await ask(user, user.pool, statement(BIG, [token, count], someOptions(user)))
  const filler = createHash('md5').update(String(token)).digest('hex').repeat(6)
  const isRight = (row: Row, at: number) => row.token === token && row.i === at + 1 && row.filler === filler
  user.judge.assert(rows.length === count && rows.every(isRight), () => {
    return `${count} big rows of ${token}: got ${rows.length}`
  })
}

/** Known to be fast, and one in a hundred takes 20 ms. */
async function work(user: User): Promise<void> {
  const token = user.judge.token()
  const count = user.random.chance(0.01) ? 150_000 : 10
  const { rows } = await ask(user, user.pool, statement(WORK, [token, count], someOptions(user)))
  user.judge.assert(rows[0]?.token === token && rows[0]?.n === count, () => {
    return `work ${token} got ${JSON.stringify(rows)}`
  })
}

async function sleep(user: User): Promise<void> {
  const token = user.judge.token()
  const seconds = user.random.chance(0.05) ? 0.02 : 0.001
  const sql = 'select $1::int as token, pg_sleep($2)'
  const { rows } = await ask(user, user.pool, statement(sql, [token, seconds], someOptions(user)))
  user.judge.assert(rows[0]?.token === token, () => `sleep ${token} got ${JSON.stringify(rows)}`)
}

/** From a table whose columns come and go, so that prepared plans become invalid. */
async function shape(user: User): Promise<void> {
  const token = user.judge.token()
  const { rows } = await ask(user, user.pool, statement(SHAPE, [token], someOptions(user)))
  user.judge.assert(rows.length === 1 && rows[0]?.token === token && rows[0].name === 'round', () => {
    return `shape ${token} got ${JSON.stringify(rows)}`
  })
}

/** One text that succeeds and fails by turns; the server's error tells the token. */
async function number(user: User): Promise<void> {
  const token = user.judge.token()
  const options = someOptions(user)
  const fails = user.random.chance(0.5)
  const late = user.random.chance(0.3)
  const params: unknown[] = [fails ? `token ${token}` : String(token)]
  if (late) params.push(900)
  const asked = ask(user, user.pool, statement(late ? LATE : NUMBER, params, options), {
    ...(fails ? { must: ['22P02'] } : {}),
  })
  const outcome = await outcomeOf(asked, options)
  if ('value' in outcome) {
    const tokens = outcome.value.rows.map((row) => row.token)
    user.judge.assert(tokens.includes(token), () => `number ${token} got ${tokens}`)
    user.judge.assert(tokens.length === (late ? 1000 : 1), () => `number ${token} got ${tokens.length} rows`)
  } else if (outcome.code === '22P02') {
    const { message } = outcome.error as Error
    user.judge.assert(message.includes(`"token ${token}"`), () => `number ${token} got: ${message}`)
  }
}

async function fail(user: User): Promise<void> {
  const token = user.judge.token()
  const [sql, code] = user.random.pick([
    [`select ${user.random.integer(1, 20)} / 0 as token`, '22012'],
    [`selec ${token}`, '42601'],
    [`select 1 from missing_${token % 30}`, '42P01'],
    ['insert into once (token) values (0)', '23505'],
  ] as const)
  await outcomeOf(ask(user, user.pool, { sql }, { must: [code] }))
}

async function stream(user: User): Promise<void> {
  const token = user.judge.token()
  const most = user.random.chance(0.5) ? 300 : user.random.integer(1, 299)
  const read = async () => {
    let at = 0
    for await (const row of user.pool.stream<Row>(STREAMED, [token], { batch: 50 })) {
      at++
      user.judge.assert(
        row.token === token && row.i === at,
        () => `stream ${token} got ${JSON.stringify(row)}`,
      )
      if (at === most) break
    }
    user.judge.assert(at === most, () => `stream ${token} ended after ${at} of ${most} rows`)
  }
  await user.judge.watch({ kind: `stream ${token}`, held: true }, read)
}

export const reads: readonly (readonly [number, (user: User) => Promise<void>])[] = [
  [30, (user) => look(user, user.pool, { options: someOptions(user) })],
  [15, simple],
  [6, big],
  [12, work],
  [3, sleep],
  [6, shape],
  [8, number],
  [4, fail],
  [1, stream],
]

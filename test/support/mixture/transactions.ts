import type { QueryResult, Transaction, TransactionOptions } from '../../../src/index.ts'
import { codeOf, type Outcome } from './judge.ts'
import { look } from './reads.ts'
import { ask, soon, type User } from './user.ts'
import { INSERT } from './writes.ts'

type Work = (tx: Transaction<unknown>) => Promise<void>

/** Ended by its own user, who throws this. */
const changedMind = Object.assign(new Error('changed my mind'), { code: 'CHANGED_MIND' })

/** Codes of what may befall any transaction. */
const LOSSES = ['CONNECTION_LOST', 'COMMIT_UNKNOWN']

async function transact(
  user: User,
  work: Work,
  { may = [], must, options }: { may?: string[]; must?: string[]; options?: TransactionOptions } = {},
): Promise<Outcome<void>> {
  const expected = { kind: 'transaction', held: true, may: [...LOSSES, ...may], ...(must ? { must } : {}) }
  try {
    return { value: await user.judge.watch(expected, () => user.pool.transaction(work, options)) }
  } catch (error) {
    return { code: codeOf(error), error }
  }
}

function put(user: User, tx: Transaction<unknown>, token: number): Promise<QueryResult> {
  const prepare = user.random.chance(0.5)
  return ask(user, tx, { sql: INSERT, params: [token], ...(prepare ? { options: { prepare } } : {}) })
}

/** Two tokens, between them a savepoint that may be rolled back, and a retry after losses now and then. */
async function commit(user: User): Promise<void> {
  const { judge, random, ledger } = user
  const [one, two, inner] = [judge.token(), judge.token(), judge.token()]
  const nests = random.chance(0.4)
  const keeps = random.chance(0.5)
  const options: TransactionOptions = {}
  if (random.chance(0.2))
    options.isolation = random.pick(['repeatable read', 'read committed', 'serializable'])
  if (random.chance(0.3)) options.retries = 3
  const work: Work = async (tx) => {
    await put(user, tx, one)
    if (nests) await savepoint(user, tx, { token: inner, keeps })
    await look(user, tx)
    await put(user, tx, two)
  }
  const outcome = await transact(user, work, { may: conflicts(options), options })
  ledger.committed(nests && keeps ? [one, two, inner] : [one, two], outcome)
  if (nests && !keeps) ledger.undone(inner)
}

/** Only these isolations may refuse what was done at the same time. */
function conflicts({ isolation }: TransactionOptions): string[] {
  return isolation === 'serializable' || isolation === 'repeatable read' ? ['40001'] : []
}

async function savepoint(
  user: User,
  tx: Transaction<unknown>,
  { token, keeps }: { token: number; keeps: boolean },
): Promise<void> {
  const nested = tx.transaction(async (inner) => {
    await put(user, inner, token)
    if (!keeps) await ask(user, inner, { sql: 'select 1 / 0' }, { must: ['22012'] })
  })
  await nested.catch((error) => {
    if (keeps || codeOf(error) !== '22012') throw error
  })
}

async function rollBack(user: User): Promise<void> {
  const token = user.judge.token()
  const work: Work = async (tx) => {
    await put(user, tx, token)
    throw changedMind
  }
  user.ledger.committed([token], await transact(user, work, { must: ['CHANGED_MIND'] }))
}

/** The statement that travels with BEGIN fails, and its user goes on as if nothing had happened. */
async function swallow(user: User): Promise<void> {
  const token = user.judge.token()
  const failing = { sql: 'select ($1::text)::int as token', params: [`token ${token}`] }
  const isFirst = user.random.chance(0.5)
  const work: Work = async (tx) => {
    if (!isFirst) await put(user, tx, token)
    await ask(user, tx, failing, { must: ['22P02'] }).catch(noteOwn(user, token))
    if (isFirst) await ask(user, tx, { sql: INSERT, params: [token] }, { must: ['25P02'] }).catch(() => {})
  }
  user.ledger.committed([token], await transact(user, work, { must: ['TRANSACTION_ABORTED'] }))
}

function noteOwn({ judge }: User, token: number) {
  return (error: unknown) => {
    const isOwn = codeOf(error) !== '22P02' || String(error).includes(`"token ${token}"`)
    judge.assert(isOwn, () => `transaction of ${token} got: ${String(error)}`)
  }
}

/** A statement is given up, by chance the first one, while it runs or before. */
async function giveUp(user: User): Promise<void> {
  const token = user.judge.token()
  const options = user.random.chance(0.5)
    ? { signal: soon(user.random) }
    : { timeoutMs: user.random.integer(1, 15) }
  const sleeping = { sql: 'select $1::int as token, pg_sleep(0.008)', params: [token], options }
  const isFirst = user.random.chance(0.5)
  const work: Work = async (tx) => {
    if (!isFirst) await put(user, tx, token)
    await ask(user, tx, sleeping).catch((error) => {
      throw Object.assign(new Error('given up', { cause: error }), { code: 'GIVEN_UP' })
    })
    if (isFirst) await put(user, tx, token)
  }
  user.ledger.committed([token], await transact(user, work, { may: ['GIVEN_UP'] }))
}

/** It waits for a connection only so long. */
async function impatient(user: User): Promise<void> {
  const token = user.judge.token()
  const options = { timeoutMs: user.random.integer(0, 10) }
  const work: Work = async (tx) => {
    await put(user, tx, token)
  }
  user.ledger.committed([token], await transact(user, work, { may: ['ACQUIRE_TIMEOUT'], options }))
}

/** Nothing is sent. */
async function empty(user: User): Promise<void> {
  await transact(user, async () => {})
}

/** A tenant for the time of one transaction. */
async function tenant(user: User): Promise<void> {
  const name = `tenant ${user.judge.token()}`
  await transact(
    user,
    async (tx) => {
      const sql = "select set_config('mixed.tenant', $1, true), set_config('application_name', $1, true)"
      await ask(user, tx, { sql, params: [name] })
      await Promise.all([1, 2, 3].map(() => look(user, tx, { owner: { app: name, tenant: name } })))
      if (user.random.chance(0.3)) throw changedMind
    },
    { may: ['CHANGED_MIND'] },
  )
}

export const transactions: readonly (readonly [number, (user: User) => Promise<void>])[] = [
  [3, commit],
  [1, rollBack],
  [1, swallow],
  [1, giveUp],
  [1, impatient],
  [0.3, empty],
  [1, tenant],
]

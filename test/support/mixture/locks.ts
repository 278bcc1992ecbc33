import { pause } from '../chaos.ts'
import { FREE_ROWS, HELD_ROWS } from './database.ts'
import { outcomeOf } from './judge.ts'
import { look } from './reads.ts'
import { ask, someOptions, type User } from './user.ts'
import { INSERT } from './writes.ts'

/** Statements that wait for a lock on the row; some look as if they only read. */
const WAITING = [
  'update locked set n = n + 1 where id = $1',
  'select n from locked where id = $1 for update',
  'with up as (update locked set n = n + 1 where id = $1 returning n) select n from up',
  'select bump($1::int) as n',
]

/** Holds a row lock, and awaits the pool behind those who wait for the lock. */
function hold(user: User): Promise<void> {
  const row = user.random.integer(1, HELD_ROWS)
  return user.holders.enter(async () => {
    let behind: Promise<unknown> | undefined
    const work = user.pool.transaction(async (tx) => {
      await ask(user, tx, { sql: 'select n from locked where id = $1 for update', params: [row] })
      behind = outcomeOf(user.lockWaiters.enter(() => lock(user, row)))
      await useBehind(user)
      await ask(user, tx, { sql: 'update locked set n = n + 1 where id = $1', params: [row] })
    })
    const outcome = await outcomeOf(work)
    await behind
    const code = 'code' in outcome ? outcome.code : 'COMMITTED'
    const isAllowed = ['COMMITTED', 'CONNECTION_LOST', 'COMMIT_UNKNOWN'].includes(code)
    user.judge.assert(isAllowed, () => `the holder of a row lock failed with ${code}`)
  })
}

/** What it needs before it lets go of the lock: reads, which may share connections, and a write. */
async function useBehind(user: User): Promise<void> {
  const token = user.judge.token()
  const written = outcomeOf(ask(user, user.pool, { sql: INSERT, params: [token] }))
  for (let round = 0; round < 3; round++) {
    await outcomeOf(Promise.all([look(user), look(user), look(user)]))
    await pause(user.random.integer(0, 2))
  }
  user.ledger.wrote(token, await written)
}

function wait(user: User): Promise<void> {
  return user.lockWaiters.enter(() => lock(user, user.random.integer(1, HELD_ROWS)))
}

/** The same without waiting, so that these texts are known to be fast. */
function dontWait(user: User): Promise<void> {
  return lock(user, HELD_ROWS + user.random.integer(1, FREE_ROWS))
}

async function lock(user: User, row: number): Promise<void> {
  const { idempotent: _, ...options } = someOptions(user) ?? {}
  await ask(user, user.pool, { sql: user.random.pick(WAITING), params: [row], options })
}

export const locks: readonly (readonly [number, (user: User) => Promise<void>])[] = [
  [5, hold],
  [6, wait],
  [6, dontWait],
]

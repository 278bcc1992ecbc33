import { outcomeOf } from './judge.ts'
import { look } from './reads.ts'
import { ask, type User } from './user.ts'

/** Each of these would be seen by whoever gets the connection next. */
const CHANGES = [
  "set application_name = 'tenant'",
  "set mixed.tenant = 'tenant'",
  "select set_config('mixed.tenant', 'tenant', false)",
  "create temporary table shadow as select 'tenant'::text as owner",
  'set search_path = elsewhere, public',
  "set statement_timeout = '15ms'",
  'prepare mixed_plan as select 1',
  "do $$ begin perform set_config('application_name', 'tenant', false); end $$",
  'select pg_try_advisory_lock(4)',
  'set default_transaction_read_only = on',
]

async function change(user: User): Promise<void> {
  await ask(user, user.pool, { sql: user.random.pick(CHANGES) })
  await look(user)
}

/** A tenant that borrows a connection and leaves it as it was, or not at all. */
async function lease(user: User): Promise<void> {
  const name = `tenant ${user.judge.token()}`
  await user.pool.use(async (held) => {
    const sql = "select set_config('mixed.tenant', $1, false), set_config('application_name', $1, false)"
    const params = [name]
    const outcome = await outcomeOf(
      ask(user, held, { sql, params }).then(async () => {
        for (let i = 0; i < 3; i++) await look(user, held, { owner: { app: name, tenant: name } })
        await ask(user, held, { sql: 'reset all' })
      }),
    )
    if ('error' in outcome) held.destroy()
  })
}

/** A tenant whose session changes between statements. */
async function session(user: User): Promise<void> {
  const name = `tenant ${user.judge.token()}`
  const held = user.pool.session()
  await outcomeOf(
    (async () => {
      await ask(user, held, { sql: "select set_config('mixed.tenant', $1, false)", params: [name] })
      await look(user, held)
      await held.transaction(async (tx) => {
        await ask(user, tx, { sql: "select set_config('mixed.tenant', $1, true)", params: [name] })
        await look(user, tx, { owner: { tenant: name } })
      })
      await look(user, held)
    })(),
  )
  await held.close()
}

export const sessions: readonly (readonly [number, (user: User) => Promise<void>])[] = [
  [3, change],
  [1, lease],
  [1, session],
]

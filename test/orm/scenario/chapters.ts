import type { OpenOrm, Run } from './orm.ts'
import type { Admin } from './play.ts'

/** One part of the story: `run` tells in a few words how it ended. */
export interface Chapter {
  readonly name: string
  /** Milliseconds for which a caller may wait for a connection. */
  readonly waitMs: number
  run(orm: OpenOrm, admin: Admin): Promise<string>
}

const MAX = 5
/** Milliseconds after which something is said to hang; what is waited for takes a few. */
const HANGS_MS = 15_000

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const pidOf = async (run: Run) => Number((await run('select pg_backend_pid() as pid'))[0]?.pid)

async function within<T>(promise: Promise<T>): Promise<T | 'hangs'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'hangs'>((resolve) => {
    timer = setTimeout(resolve, HANGS_MS, 'hangs')
  })
  const first = await Promise.race([promise, late])
  clearTimeout(timer)
  return first
}

/** How many transactions can be open at once afterwards: what is missing has leaked. */
async function wholeness(orm: OpenOrm): Promise<string> {
  let begun = 0
  let go: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  const one = async () =>
    orm.transaction(async (run) => {
      await pidOf(run)
      if (++begun === MAX) go()
      await gate
    })
  const all = Promise.allSettled(Array.from({ length: MAX }, one))
  await within(Promise.race([gate, all]))
  go()
  await within(all)
  return begun === MAX ? 'pool whole' : `${MAX - begun} of ${MAX} connections lost`
}

async function relations(orm: OpenOrm): Promise<string> {
  await orm.schema()
  const { name, totals } = await orm.read(await orm.order('Ada', [30, 40]))
  return `${name}: ${[...totals].sort().join(', ')}`
}

/** Ten fail in their body, ten by the server; each says whether its statements met one connection. */
async function fifty(orm: OpenOrm, admin: Admin): Promise<string> {
  await admin(`drop table if exists accounts;
    create table accounts (id int primary key, name text not null, balance int not null);
    insert into accounts select n, 'account ' || n, 100 from generate_series(1, 1000) n`)
  let spread = 0
  const transfer = (n: number) =>
    orm.transaction(async (run) => {
      const pid = await pidOf(run)
      // The lower first: nobody waits for each other.
      await run(`update accounts set balance = balance - 1 where id = ${(n % 7) + 1}`)
      if (n % 5 === 0) throw new Error('on purpose')
      if (n % 5 === 1) await run('select 1/0')
      await run(`update accounts set balance = balance + 1 where id = ${(n % 7) + 10}`)
      if ((await pidOf(run)) !== pid) spread++
    })
  const ends = await within(Promise.allSettled(Array.from({ length: 50 }, (_, n) => transfer(n))))
  if (ends === 'hangs') return ends
  const done = ends.filter(({ status }) => status === 'fulfilled').length
  const [sum] = await admin('select sum(balance)::int as n from accounts')
  const kept = sum?.n === 100_000 ? 'no balance lost' : `balance ${sum?.n}`
  const pinned = spread === 0 ? '' : `; ${spread} spread over connections`
  return `${done} committed, ${50 - done} undone, ${kept}${pinned}; ${await wholeness(orm)}`
}

async function killed(orm: OpenOrm, admin: Admin): Promise<string> {
  const held = orm.transaction(async (run) => {
    const pid = await pidOf(run)
    await admin(`select pg_terminate_backend(${pid})`)
    while ((await admin(`select from pg_stat_activity where pid = ${pid}`)).length > 0) await sleep(5)
    // Until the news has come here.
    await sleep(100)
    await run('select 1')
  })
  const told = await within(
    held.then(
      () => 'nobody is told',
      () => 'the caller is told',
    ),
  )
  return `${told}; ${await wholeness(orm)}`
}

async function exhausted(orm: OpenOrm): Promise<string> {
  let go: () => void = () => undefined
  const gate = new Promise<void>((resolve) => {
    go = resolve
  })
  let begun = 0
  const full = new Promise<void>((resolve) => {
    const one = () =>
      orm.transaction(async (run) => {
        await pidOf(run)
        if (++begun === MAX) resolve()
        await gate
      })
    for (let i = 0; i < MAX; i++) one().catch(() => undefined)
  })
  await within(full)
  const waiting = orm.transaction(pidOf).then(
    () => 'is served',
    (error) => (saysWho(error) ? 'an error with numbers' : 'an error'),
  )
  const told = await within(waiting)
  go()
  const after = await wholeness(orm)
  return `${told === 'hangs' ? 'waits for ever' : told}; ${after}`
}

function saysWho(error: unknown): boolean {
  const { message = '', cause } = (error ?? {}) as { message?: string; cause?: unknown }
  return /\d+ leased/.test(message) || (cause !== undefined && saysWho(cause))
}

async function shutdown(orm: OpenOrm, admin: Admin): Promise<string> {
  let begun: () => void = () => undefined
  const running = new Promise<void>((resolve) => {
    begun = resolve
  })
  const work = orm
    .transaction(async (run) => {
      await pidOf(run)
      begun()
      await sleep(300)
      await run("update accounts set name = 'last' where id = 1")
    })
    .then(
      () => 'what runs is finished',
      () => 'what runs is cut off',
    )
  await within(running)
  const ended = await within(orm.close().then(() => 'ends'))
  const finished = await within(work)
  const left = async () =>
    (
      await admin(`select from pg_stat_activity where backend_type = 'client backend'
        and datname = current_database() and application_name <> 'admin'`)
    ).length
  for (let i = 0; i < 200 && (await left()) > 0; i++) await sleep(50)
  const open = await left()
  return `${finished}; ${ended === 'hangs' ? 'hangs' : open === 0 ? 'nothing left open' : `${open} left open`}`
}

/** Ends what a chapter has used; what hangs is left behind, and goes with the process. */
function closing(run: Chapter['run']): Chapter['run'] {
  return async (orm, admin) => {
    try {
      return await run(orm, admin)
    } finally {
      await within(orm.close().catch(() => undefined))
    }
  }
}

/** Long enough for what is to be served. */
const PATIENT_MS = 30_000

export const chapters: readonly Chapter[] = [
  { name: 'schema and relations', waitMs: PATIENT_MS, run: closing(relations) },
  { name: '50 transactions, 20 fail', waitMs: PATIENT_MS, run: closing(fifty) },
  { name: 'a killed backend', waitMs: PATIENT_MS, run: closing(killed) },
  { name: 'no connection free', waitMs: 5_000, run: closing(exhausted) },
  { name: 'shutdown', waitMs: PATIENT_MS, run: shutdown },
]

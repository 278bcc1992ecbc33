import type { Verdict } from '../../comparison/comparison.ts'
import { ask, errorOf, eventually, kill, pidOf, slonik, sql } from './lab.ts'
import type { Limits, Open, Side } from './sides.ts'

export interface Behaviour {
  readonly name: string
  readonly run: (side: Side) => Promise<string>
}

/** A behaviour that is tried on a pool of its own. */
function on(name: string, run: (open: Open) => Promise<string>, limits: Limits = {}): Behaviour {
  return {
    name,
    run: async (side) => {
      const open = await side(limits)
      try {
        return await run(open)
      } finally {
        await Promise.race([open.end(), new Promise((resolve) => setTimeout(resolve, 8_000))])
      }
    },
  }
}

const classOf = (error: unknown) =>
  Object.entries(slonik)
    .filter(
      ([name, value]) =>
        name.endsWith('Error') && error instanceof (value as never) && (error as Error).constructor === value,
    )
    .map(([name]) => name)[0] ?? (error as Error).name

/** Waits for what either pool does in the background. */
const later = () => new Promise((resolve) => setTimeout(resolve, 300))

const written = (value: unknown) =>
  JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? `${item}n` : item))

const same: readonly Behaviour[] = [
  on('values of a row', async ({ db }) =>
    written(
      await db.one(
        sql`select 1 as a, 2::int8 as b, '{"c":1}'::jsonb as c, null as d, array[1,2]::int8[] as e, '2020-01-01'::timestamptz as f, 1.5::numeric as g`,
      ),
    ),
  ),
  on("a type parser of the user's own", async ({ db }) => String(await db.oneFirst(sql`select 'a'::text`)), {
    options: { typeParsers: [{ name: 'text', parse: (value: string) => `read ${value}` }] },
  }),
  on('errors of constraints', async ({ db }) => {
    const not = await errorOf(db.query(sql`insert into person (name) values (null)`))
    const unique = await errorOf(db.query(sql`insert into person (id, name) values (-5, 'x'), (-5, 'x')`))
    return [not, unique].map(classOf).join(', ')
  }),
  on('an error of syntax', async ({ db }) => classOf(await errorOf(db.query(sql`selec 1`)))),
  on('20 transactions at once on 3 connections', async ({ db }) => {
    const one = () =>
      db.transaction(async (t) => {
        const seen = new Set<unknown>()
        for (let i = 0; i < 3; i++) seen.add(await pidOf(t))
        return seen.size
      })
    const sizes = await Promise.all(Array.from({ length: 20 }, one))
    return `${sizes.filter((size) => size === 1).length} keep to one`
  }),
  on('the body of a transaction throws', async ({ db }) => {
    const { message } = await errorOf(
      db.transaction(async (t) => {
        await t.query(sql`insert into person (name) values ('body')`)
        throw new Error('its error')
      }),
    )
    return `${message}; ${(await db.any(sql`select from person where name = 'body'`)).length} rows`
  }),
  on('a nested transaction fails, the outer goes on', async ({ db }) => {
    await db.transaction(async (t) => {
      await t.query(sql`insert into person (name) values ('twice')`)
      await errorOf(t.transaction((inner) => inner.query(sql`select 1/0`)))
    })
    const { rowCount } = await db.query(sql`delete from person where name = 'twice'`)
    return `${rowCount} row`
  }),
  on('a serialization failure is tried again', async ({ db }) => {
    let runs = 0
    await db.transaction(async (t) => {
      if (++runs < 3) await t.query(sql`do $$ begin raise exception 'again' using errcode = '40001'; end $$`)
    })
    return `${runs} runs`
  }),
  on('a stream', async ({ db }) => {
    let sum = 0
    await db.stream(sql`select n::int8 from generate_series(1, 1000) n`, (stream) => {
      void (async () => {
        for await (const { data } of stream) sum += Number(data.n)
      })()
    })
    await eventually(() => (sum === 500_500 ? true : Promise.reject(new Error(String(sum)))))
    return `sum ${sum}`
  }),
  on('a notice', async ({ db }) => {
    const { notices } = await db.query(sql`do $$ begin raise notice 'hello'; end $$`)
    return JSON.stringify(notices)
  }),
  on(
    'a setting that a session leaves',
    async ({ db }) => {
      await db.connect((c) => c.query(sql`set time zone 'Asia/Tokyo'`))
      await later()
      return (await db.oneFirst(sql`show time zone`)) === 'Asia/Tokyo' ? 'meets the next' : 'is reset'
    },
    { max: 1 },
  ),
  on('`statementTimeout`', async ({ db }) => classOf(await errorOf(db.query(sql`select pg_sleep(60)`))), {
    options: { statementTimeout: 1_000 },
  }),
  on(
    'the backend dies while it is idle in a connection',
    async ({ db }) => {
      const error = await errorOf(
        db.connect(async (c) => {
          const pid = await pidOf(c)
          await kill(pid)
          await eventually(async () => {
            if ((await ask('select from pg_stat_activity where pid = $1', [pid])).length > 0)
              throw new Error('lives')
          })
          await later()
          return c.query(sql`select 1`)
        }),
      )
      return `${classOf(error)}; then ${await db.oneFirst(sql`select 1`)}`
    },
    { max: 1 },
  ),
  on(
    'the backend dies while a statement of a transaction runs',
    async ({ db }) => {
      const error = await errorOf(
        db.transaction(async (t) => {
          const pid = await pidOf(t)
          const slow = errorOf(t.query(sql`select pg_sleep(60)`))
          const killed = `select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and state = 'active'`
          await eventually(async () => {
            if ((await ask(killed, [pid])).length === 0) throw new Error('not yet')
          })
          throw await slow
        }),
      )
      // Of its classes it is the one of what came first: the farewell, or the end of the socket.
      const told = /^BackendTerminated/.test(classOf(error)) ? 'told as terminated' : classOf(error)
      return `${told}; then ${await db.oneFirst(sql`select 1`)}`
    },
    { max: 1 },
  ),
  on('idle ones in `state()`, after three at once', async ({ db }) => {
    await Promise.all([pidOf(db), pidOf(db), pidOf(db)])
    await eventually(() => {
      if (db.state().idleConnections < 3) throw new Error('not yet')
    }).catch(() => undefined)
    return `${db.state().idleConnections}`
  }),
  on('a query after `end`', async ({ db }) => {
    await db.end()
    return classOf(await errorOf(db.one(sql`select 1`)))
  }),
]

const better: readonly (Behaviour & { reason: string })[] = [
  {
    ...on('two statements in one text', async ({ db }) => {
      const error = await errorOf(db.query(sql`insert into person (name) values ('both'); select 2`))
      const { rowCount } = await db.query(sql`delete from person where name = 'both'`)
      return `${classOf(error)}; ${rowCount === 0 ? 'none has' : 'both have'} run`
    }),
    reason: 'the protocol that takes one statement refuses it before it runs',
  },
  {
    ...on(
      'no connection is free',
      async ({ db }) =>
        db.connect(async () => {
          const waiting = db.one(sql`select 1`).then(
            () => 'is served',
            (error) =>
              `${classOf(error)}: ${/1 leased/.test(error.message) ? 'says how many are leased and wait' : error.message}`,
          )
          return Promise.race([
            waiting,
            new Promise<string>((resolve) => setTimeout(resolve, 6_000, 'waits for ever')),
          ])
        }),
      { max: 1, waitMs: 2_500 },
    ),
    reason: 'Slonik has no limit for that wait, `connectionTimeout` is for connecting',
  },
  {
    ...on(
      'an error of a statement',
      async ({ db }) => {
        const first = await pidOf(db)
        await later()
        await errorOf(db.query(sql`select 1/0`))
        return (await pidOf(db)) === first ? 'the connection is reset and kept' : 'the connection is closed'
      },
      { max: 1 },
    ),
    reason: 'a connect is the dearest thing that a pool does',
  },
  {
    ...on(
      'a named statement, used again',
      async ({ db }) => {
        const named = () => ({ ...sql`select 1 as n`, name: 'one' })
        await db.one(named())
        await later()
        return db.one(named()).then(
          () => 'is prepared anew',
          (error) => error.message,
        )
      },
      { max: 1 },
    ),
    reason: '`DISCARD ALL` drops it; here the client is told',
  },
  {
    ...on(
      'NULL in an array that a parser reads',
      async ({ db }) => JSON.stringify(await db.oneFirst(sql`select array['a', null]::text[]`)),
      { options: { typeParsers: [{ name: 'text', parse: (value: string) => `read ${value}` }] } },
    ),
    reason: 'a parser is never given NULL elsewhere either',
  },
  {
    ...on('an array with two dimensions', async ({ db }) =>
      written(await db.oneFirst(sql`select array[array[1, 2], array[3, 4]]::int8[]`)),
    ),
    reason: 'each value goes through the parser',
  },
]

const different: readonly (Behaviour & { reason: string })[] = [
  {
    ...on('`end`', async ({ db, isOpen }) => {
      await db.one(sql`select 1`)
      await db.end()
      return isOpen() ? 'lets go of the pool' : 'closes the connections'
    }),
    reason: 'one pool may serve two: `pool.close()` closes it',
  },
]

const verdict = (verdict: Verdict) => (behaviour: Behaviour) => ({ ...behaviour, verdict })

export const comparisons = [
  ...same.map(verdict('same')),
  ...better.map(verdict('better')),
  ...different.map(verdict('differs')),
]

import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { ask, eventually, startPostgres } from '../support/postgres.ts'
import { buildProgram, type Ending, Place, Program } from './demo-process.ts'

const DEMO_LIMIT_MS = 300_000

// Escape sequences, carriage returns, and what else a terminal would act upon.
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f]/

function numbers(text: string, pattern: RegExp): number[] {
  const [, ...found] = pattern.exec(text) ?? []
  if (found.length === 0) throw new Error(`${pattern} does not match\n${text}`)
  return found.map((figure) => Number(figure.replaceAll(',', '')))
}

/** What was lost is what was ended; a pool that was still growing opens more than that. */
function expectRecovery(out: string): void {
  const sentence = /(\d+) connections? ended by the server: (\d+) lost, (\d+) opened/
  const [ended = 0, lost, opened] = numbers(out, sentence)
  expect(ended).toBeGreaterThan(0)
  expect(lost).toBe(ended)
  expect(opened).toBeGreaterThanOrEqual(ended)
}

const file = await buildProgram()
const start = (args: readonly string[], place?: Place) => new Program(file, args, place)
const rockpool = (...args: string[]): Promise<Ending> => start(args).ended

describe('rockpool demo', () => {
  test(
    'prints figures that agree with each other, as plain lines where there is no terminal, and leaves nothing behind',
    async () => {
      const place = new Place()
      const { code, out, err } = await start(['demo', '--quick'], place).ended
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).not.toMatch(CONTROL)
      expect(place.traces.filter((trace) => trace.includes('postgres'))).toEqual([])
      await place.isClean()

      const ratios = [...out.matchAll(/(\d+\.\d)x$/gm)].map(([, ratio]) => Number(ratio))
      expect(ratios).toHaveLength(4)
      for (const ratio of ratios) expect(ratio).toBeGreaterThan(1)
      expect(ratios.slice(0, 2)).toEqual(ratios.slice(2))
      const runs = [...out.matchAll(/([\d,]+) queries in [\d.]+ m?s .* ([\d,]+) connections?/g)]
      const figures = runs.map(([, queries, connections]) => [Number(queries), Number(connections)])
      // Fewer queries where time was up, fewer connections where they take longer than those that are there.
      const upTo = (most: number) => expect.toSatisfy((figure: number) => figure > 0 && figure <= most)
      expect(figures).toEqual([
        [upTo(200), figures[0]?.[0]],
        [upTo(200), 1],
        [upTo(200), figures[2]?.[0]],
        [upTo(200), upTo(20)],
      ])

      expect(numbers(out, /✔ (\d+) tasks in .* on (\d+) connections?/)).toEqual([60, upTo(10)])
      expect(numbers(out, /the server never counted more than (\d+) connections?/)).toEqual([upTo(10)])
      expect(out).toMatch(/60\/60 {2}connecting \d+, idle \d+, leased 0, waiting 0/)
      expectRecovery(out)
      expect(numbers(out, /and to (\d+) that may/)).toEqual([0])
      expect(out).toContain('at forgetToRelease (')
      expect(out).toContain('pool "orders": no connection after')
      expect(out).toContain('closed 1, destroyed 2 (the leaks), abandoned 0, rejected 1 (a caller)')
    },
    DEMO_LIMIT_MS,
  )

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'leaves nothing behind after %s in the middle, and ends as that signal ends programs',
    async (signal) => {
      const place = new Place()
      const program = start(['demo', '--quick'], place)
      await program.printed(signal === 'SIGINT' ? '2  ' : '1  ')
      await sleep(100)
      program.child.kill(signal)
      expect(await program.ended).toMatchObject({ code: null, signal, err: '' })
      await place.isClean()
    },
    DEMO_LIMIT_MS,
  )

  test.each([
    ['SIGTERM', 0],
    ['SIGTERM', 300],
    ['Ctrl-C', 150],
    ['twice SIGTERM', 100],
  ] as const)(
    'leaves nothing behind after %s during start-up, %d ms after the folder appeared',
    async (what, ms) => {
      const place = new Place()
      const program = start(['demo', '--quick'], place)
      await eventually(() =>
        expect(place.traces.some((trace) => trace.startsWith('rockpool-pg-'))).toBe(true),
      )
      await sleep(ms)
      if (what === 'Ctrl-C') program.interruptGroup()
      else program.child.kill('SIGTERM')
      if (what === 'twice SIGTERM') {
        await sleep(20)
        program.child.kill('SIGTERM')
      }
      expect(await program.ended).toMatchObject({ err: '' })
      await place.isClean()
    },
    DEMO_LIMIT_MS,
  )

  test('ends quietly when nobody reads its output any more', async () => {
    const place = new Place()
    const program = start(['demo', '--quick'], place)
    await program.printed('1  ')
    program.child.stdout?.destroy()
    expect(await program.ended).toMatchObject({ code: 1, err: '' })
    await place.isClean()
  })
})

describe('rockpool demo --url', async () => {
  const server = await startPostgres({ password: 'secret-7' })
  await ask(server, `create role guest login password 'secret-8'`)
  const guestUrl = server.url().replace('postgres:secret-7@', 'guest:secret-8@')

  /** Everything that somebody could create, and who is there. */
  const inventory = async () => {
    const [counts] = await ask(
      server,
      `select (select count(*) from pg_class) as classes, (select count(*) from pg_namespace) as namespaces,
        (select count(*) from pg_proc) as functions, (select count(*) from pg_type) as types,
        (select count(*) from pg_roles) as roles, (select count(*) from pg_database) as databases,
        (select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) from pg_stat_user_tables) as changes`,
    )
    const others = await ask(
      server,
      `select pid, application_name from pg_stat_activity
        where backend_type = 'client backend' and application_name <> 'admin' order by pid`,
    )
    return { counts, others }
  }

  test(
    'creates nothing, and ends no connection but its own',
    async () => {
      const { createPool } = await import('../../src/index.ts')
      // As near to the demo as somebody else can be: the same user, and a name that begins like the demo's.
      await using bystander = createPool(`${server.url()}?application_name=rockpool-demo-`, { min: 2 })
      await bystander.ready()
      const before = await inventory()
      expect(before.others).toHaveLength(2)
      const url = `${server.url()}?application_name=mine`
      const { code, out, err } = await rockpool('demo', '--quick', '--url', url)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expectRecovery(out)
      expect(out).toContain('Nothing was created in the database, and all connections are closed.')
      expect(out).not.toContain('secret-7')
      await eventually(async () => expect(await inventory()).toEqual(before))
    },
    DEMO_LIMIT_MS,
  )

  test(
    'takes no more connections than a user is allowed, and goes on where he may not end his own',
    async () => {
      await ask(server, 'revoke execute on function pg_terminate_backend(integer, bigint) from public')
      await ask(server, 'alter role guest connection limit 10')
      const { code, out, err } = await rockpool('demo', '--quick', '--url', guestUrl)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain('tasks on 7 connections')
      expect(out).toContain('left out: the server does not let us: permission denied for function')
      expect(out).toContain('closed 1, destroyed 2')
    },
    DEMO_LIMIT_MS,
  )

  test('tells when there are too few connections', async () => {
    await ask(server, 'alter role guest connection limit 4')
    const { code, err } = await rockpool('demo', '--url', guestUrl)
    expect(code).toBe(1)
    expect(err).toContain('rockpool: the server has room for 4 more connections; the demo wants 8')
  })

  test('closes its connections when it is interrupted', async () => {
    const program = start(['demo', '--quick', '--url', server.url()])
    await program.printed('without a pool')
    program.child.kill('SIGINT')
    expect(await program.ended).toMatchObject({ signal: 'SIGINT', err: '' })
    await eventually(async () => expect((await inventory()).others).toEqual([]))
  })

  test('says what is wrong with a password, a database, an address, and never shows the password', async () => {
    const attempts = {
      'password authentication failed for user "postgres"': server.url().replace('secret-7', 'wr0ng-pass'),
      'database "nowhere" does not exist': server.url('nowhere'),
      ECONNREFUSED: 'postgres://postgres:wr0ng-pass@127.0.0.1:1/postgres',
    }
    for (const [message, url] of Object.entries(attempts)) {
      const { code, out, err } = await rockpool('demo', '--url', url)
      expect({ code, out }).toEqual({ code: 1, out: '' })
      expect(err).toMatch(/^rockpool: cannot connect: /)
      expect(err).toContain(message)
      expect(err).not.toMatch(/wr0ng-pass|secret-7/)
    }
  })
})

test('what cannot be is refused with exit code 2', async () => {
  expect(await rockpool('bench')).toEqual({
    code: 2,
    signal: null,
    out: '',
    err: 'rockpool: unknown command "bench"\nSee: rockpool --help\n',
  })
  const attempts = {
    '--url must begin with postgres://': 'mysql://me:secret-9@host/db',
    '"port" must be a whole number': 'postgres://me:secret-9@host:x/db',
    '--url has pool.max': 'postgres://me:secret-9@host/db?pool.max=5',
  }
  for (const [message, url] of Object.entries(attempts)) {
    const { code, out, err } = await rockpool('demo', '--url', url)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(message)
    expect(err).not.toContain('secret-9')
  }
})

import { ask, startPostgres } from '../../support/postgres.ts'
import { behaves } from './behaviour.ts'
import type { Lab } from './lab.ts'

const server = await startPostgres()
await ask(server, `create role shop login superuser password 'S3cret'`)

const lab: Lab = {
  url: () => server.url().replace(/\/\/[^@]*@/, '//shop:S3cret@'),
  options: {},
  whoami: 'select pg_backend_pid() as id',
  kill: (session) => ask(server, 'select pg_terminate_backend($1, 10000)', [session]),
  async sessions() {
    const [row] = await ask<{ n: number }>(
      server,
      `select count(*)::int as n from pg_stat_activity where usename = 'shop'`,
    )
    return row?.n ?? Number.NaN
  },
}

behaves(lab)

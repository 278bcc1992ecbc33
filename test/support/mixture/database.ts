import type { EmbeddedPostgres } from '../../../src/testing/embedded-postgres.ts'
import { ask } from '../postgres.ts'

/** The pool's own user: what its sessions call themselves changes. */
export const ROLE = 'mixed'

/** Rows that somebody may hold for a while, and then those that are only ever locked by single statements. */
export const HELD_ROWS = 3
export const FREE_ROWS = 40

const SCHEMA = `
  create role ${ROLE} superuser login password 'mixed';
  create table ledger (token int);
  create table once (token int primary key);
  insert into once values (0);
  create table locked (id int primary key, n int);
  insert into locked select id, 0 from generate_series(1, ${HELD_ROWS + FREE_ROWS}) id;
  create table shape (name text);
  insert into shape values ('round');
  create table shadow as select 'everybody'::text as owner;
  create schema elsewhere;
  create table elsewhere.shadow as select 'tenant'::text as owner;
  create function note(token int) returns int language sql as 'insert into ledger values (token) returning token';
  create function bump(one int) returns int language sql as 'update locked set n = n + 1 where id = one returning n';
  create procedure note_and_die(token int) language plpgsql as $$
    begin
      insert into ledger values (token);
      commit;
      perform pg_terminate_backend(pg_backend_pid());
    end $$;
`

/** Makes the tables, and gives the URL that the pool is to use. */
export async function prepareDatabase(server: EmbeddedPostgres): Promise<string> {
  await ask(server, SCHEMA)
  const url = new URL(server.url())
  url.username = ROLE
  url.password = 'mixed'
  return url.href
}

/** What is in a table of tokens, and how often. */
export function tokensOf(server: EmbeddedPostgres, table: 'ledger' | 'once') {
  return ask<{ token: number; times: number }>(
    server,
    `select token, count(*)::int as times from ${table} where token > 0 group by token`,
  )
}

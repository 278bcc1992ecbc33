import { show } from '../../contract/check.ts'
import { InvalidOptionError } from '../../contract/errors.ts'
import type { SqlDriver } from '../../contract/sql-driver.ts'
import { loadPackage } from '../load-package.ts'
import { beginWith } from './begin-with.ts'
import { cancel } from './cancel.ts'
import { isBusy, type PgClient, type PgClientClass, type PgModule } from './client.ts'
import { close } from './close.ts'
import { type PgConfig, resolveConfig } from './config.ts'
import { classify, endsSession, isStalePlan } from './errors.ts'
import { isUndone } from './flight.ts'
import { linkOf } from './link.ts'
import { open } from './open.ts'
import { confirmPooler } from './pooler.ts'
import { stream } from './portal.ts'
import { query } from './query.ts'
import { begin, commit, confirmStale, isAlive, isDirty, reset, rollback, savepoint } from './session.ts'

/**
 * PostgreSQL by the `pg` package: `pg('postgres://...')`, `pg({ host, user, password: () => token() })`, and what
 * neither says from libpq's environment. The package is loaded at the first connect, or passed as `module`, which also
 * gives leases its types and is needed where a bundler has taken it in.
 * @throws InvalidOptionError for a malformed URL or an impossible config
 */
export function pg<C = PgClient>(
  config?: string | URL | PgConfig,
  options: { module?: PgModule<C> } = {},
): SqlDriver<C> {
  const target = resolveConfig(config, process.env)
  const given = options.module === undefined ? undefined : clientClassOf(options.module)
  const driver = pgDriver(async (signal) => open(given ?? clientClassOf(loadPackage('pg')), target, signal))
  // The user's own `pg.Client` is what we describe by the part of it that we use.
  return driver as unknown as SqlDriver<C>
}

/** The driver of clients that `openClient` makes, from whatever their maker takes for a config. */
export function pgDriver(connect: (signal: AbortSignal) => Promise<PgClient>): SqlDriver<PgClient> {
  return {
    name: 'pg',
    dialect: 'postgres',
    connect: ({ signal }) => connect(signal),
    close,
    isAlive: (client, { signal }) => isAlive(client, signal),
    isDirty,
    reset,
    classify,
    confirmStale,
    onLost: (client, lost) => linkOf(client).onLost(lost),
    ref: (client) => client.ref(),
    unref: (client) => client.unref(),
    query,
    begin,
    beginWith,
    commit,
    rollback,
    savepoint,
    stream: (client, text, params, { batch }) => stream(client, text, params, batch),
    cancel,
    pipeline,
    preparesByName: true,
    placeholder: (position) => `$${position}`,
    isStalePlan,
    isUndone,
    confirmPooler,
    inTransaction: (client) => linkOf(client).status !== 'I',
    isFarewell: endsSession,
  }
}

/** The user may have `import pg from 'pg'` or `import * as pg from 'pg'`. */
export function clientClassOf(module: unknown): PgClientClass {
  const { Client, default: inner } = (module ?? {}) as { Client?: unknown; default?: { Client?: unknown } }
  const found = Client ?? inner?.Client
  if (typeof found === 'function') return found as PgClientClass
  throw new InvalidOptionError('module', `"module" is ${show(module)}: it must be the "pg" package`)
}

/** @throws InvalidOptionError where this version of pg cannot (it can from 8.23 on) */
function pipeline(client: PgClient, on: boolean): void {
  if (typeof client.pipeline !== 'boolean') {
    throw new InvalidOptionError(
      'multiplex',
      'this version of pg cannot share a connection: 8.23 or newer can',
    )
  }
  // What was sent in one way must also be answered in it.
  if (isBusy(client))
    throw new TypeError('a connection is shared, or no longer shared, while nothing is in flight')
  client.pipeline = on
}

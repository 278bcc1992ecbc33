import * as callbacks from 'mysql2'
import * as promises from 'mysql2/promise'
import { afterAll, describe } from 'vitest'
import { compare } from '../../comparison/comparison.ts'
import { hasMariadb, NO_MARIADB, startMariadb } from '../../support/mariadb.ts'
import { type MysqlServer, Overseer } from '../../support/mysql-server.ts'
import { needs } from '../../support/skip.ts'
import { deaths, different, dirt, secrets, stale, waiting } from './better.ts'
import { mysql, promise } from './drop-in.ts'
import { numbers } from './numbers.ts'
import { borrowing, clusters, limits, statements } from './same.ts'
import type { Subject } from './subject.ts'

needs(hasMariadb, NO_MARIADB)

const server = hasMariadb ? await startMariadb() : undefined
const overseer = server === undefined ? undefined : await Overseer.of(server)

afterAll(async () => {
  await overseer?.close()
  await server?.close()
})

describe('mysql2 and its drop-in', () => {
  const at = { server: server as MysqlServer, overseer: overseer as Overseer }
  const theirs = async (): Promise<Subject> => {
    return { mysql: callbacks, promise: promises, ...at, patienceMs: 1_500, rockpool: () => ({}) }
  }
  const ours = async (): Promise<Subject> => {
    return { mysql, promise, ...at, patienceMs: 20_000, rockpool: (rockpool) => ({ rockpool }) }
  }
  const same = [...statements, ...borrowing, ...limits, ...clusters]
  const better = [...dirt, ...stale, ...deaths, ...waiting, ...secrets]
  compare('docs/compat/mysql2.md', { original: 'mysql2 3.24', theirs, ours }, [
    ...same,
    ...better,
    ...numbers,
    ...different,
  ])
})

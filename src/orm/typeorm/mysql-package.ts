import type { Pool, PoolConnection } from 'mysql2'
import { around } from '../../compat/mysql2/around.ts'
import { packageOf } from '../../compat/mysql2/package.ts'
import { type Asked, assertPoolDecides, type MakePackage, type Node, nodeAt, refusing } from './node.ts'
import { type Settings, settingsOf, underSettings, WITH_EACH_STATEMENT } from './statement-settings.ts'

/** What TypeORM always passes, and what can be had of any connection. */
const MEANT = ['database', 'stringifyObjects', ...WITH_EACH_STATEMENT]

type Lend = (error: NodeJS.ErrnoException | null, connection?: PoolConnection) => unknown

/** What TypeORM takes for the package `mysql2`. */
export const mysqlPackage: MakePackage = (nodes, ssl) => {
  const poolFor = (node: Node, asked: Asked): Pool => {
    assertPoolDecides(asked, ssl, MEANT)
    const mysql2 = packageOf(node.module)
    const pool = around(node.pool, { ownsPool: node.ownsPool, module: mysql2 })
    return speaking(pool, settingsOf(asked, mysql2))
  }
  const mysql2 = {
    createPool: (asked: Asked) => poolFor(nodeAt(nodes, 0), asked),
    createPoolCluster: () => new Replicas((index, asked) => poolFor(nodeAt(nodes, index), asked)),
  }
  return Object.defineProperties(mysql2, refusing(['Pool', 'ConnectionPool'], '"mysql" or "mariadb"'))
}

/** Every connection that this pool lends speaks as TypeORM has asked for, and as others have not. */
function speaking(pool: Pool, settings: Settings): Pool {
  const lend = pool.getConnection.bind(pool) as (callback: Lend) => void
  pool.getConnection = ((callback: Lend) =>
    lend((error, connection) => {
      if (connection !== undefined) underSettings(connection, settings)
      callback(error, connection)
    })) as Pool['getConnection']
  return pool
}

/** What TypeORM uses of a cluster: a master, and replicas by turns. */
class Replicas {
  readonly #open: (index: number, asked: Asked) => Pool
  readonly #slaves: Pool[] = []
  #master: Pool | undefined = undefined
  #turn = 0

  constructor(open: (index: number, asked: Asked) => Pool) {
    this.#open = open
  }

  /** `MASTER`, or `SLAVE` and its number. */
  add(name: string, asked: Asked): void {
    if (name === 'MASTER') this.#master = this.#open(0, asked)
    else this.#slaves.push(this.#open(this.#slaves.length + 1, asked))
  }

  getConnection(pattern: string, callback: Lend): void {
    const slave = this.#slaves[this.#turn++ % Math.max(1, this.#slaves.length)]
    const pool = pattern === 'MASTER' || slave === undefined ? this.#master : slave
    pool?.getConnection(callback as Parameters<Pool['getConnection']>[0])
  }

  end(callback: (error?: Error | null) => void): void {
    const pools = [...this.#slaves, ...(this.#master === undefined ? [] : [this.#master])]
    const ends = pools.map((pool) => new Promise((resolve) => pool.end(resolve)))
    void Promise.all(ends).then((errors) => callback(errors.find((error) => error) as Error | undefined))
  }
}

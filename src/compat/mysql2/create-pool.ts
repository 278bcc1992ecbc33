import type { Connection, Pool } from 'mysql2'
import type { Pool as Rockpool } from '../../contract/pool.ts'
import { mysql2 as mysql2Driver } from '../../drivers/mysql2/index.ts'
import { PooledSql } from '../../sql/pooled-sql.ts'
import { StandingQueue } from '../standing-queue.ts'
import { type PoolOptions, readOptions } from './options.ts'
import { type Mysql2Package, packageOf } from './package.ts'
import { poolOf } from './pool.ts'

/** A pool of its own, as the user asks mysql2 for one. */
export function makePool(options: unknown, mysql2: Mysql2Package = packageOf(passedIn(options))): Pool {
  const { config, connection, rockpool } = readOptions(options, mysql2)
  const driver = mysql2Driver<Connection>(connection, { module: mysql2 as never })
  const queue = new StandingQueue()
  const pool: Rockpool<Connection> = new PooledSql<Connection>(
    {
      ...driver,
      connect: (context) => queue.telling(pool, () => driver.connect(context)),
      // Whoever waits is told of each failure, as mysql2 has it: none is so final that nobody may try again.
      classify: (error, during) =>
        during === 'connect' ? 'fatal' : (driver.classify?.(error, during) ?? 'statement'),
    },
    rockpool,
  )

  return new (poolOf(mysql2))({ mysql2, pool, config, ownsPool: true, queue })
}

function passedIn(options: unknown): unknown {
  return (options as PoolOptions | null | undefined)?.module
}

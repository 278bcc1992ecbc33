import type { Pool } from '../../contract/pool.ts'
import { loadPackage } from '../../drivers/load-package.ts'
import type { PgClient, PgClientClass } from '../../drivers/pg/client.ts'
import { clientClassOf, pgDriver } from '../../drivers/pg/driver.ts'
import { openClient } from '../../drivers/pg/open.ts'
import { createResourcePool } from '../../pool/create-resource-pool.ts'
import { StandingQueue } from '../standing-queue.ts'
import { inWordsOfPgPool } from './errors.ts'
import type { Footing } from './footing.ts'
import { keptOptions, poolOptions } from './options.ts'
import type { ClientClass, PgPoolClient } from './types.ts'

/** A pool of its own, for `new Pool(options, Client)`. */
export function ownPool(given: unknown, Client: unknown): Footing {
  const options = keptOptions(given)
  const chosen = (options.Client ?? Client) as PgClientClass | undefined
  const clientClass = chosen ?? clientClassOf(options.pg ?? loadPackage('pg'))
  const queue = new StandingQueue()
  // The options as they are at that moment: some change the password in them.
  const driver = pgDriver((signal) => openClient(clientClass, options as object, signal))
  const { onConnect, verify, log } = options
  const pool: Pool<PgClient> = createResourcePool(
    {
      ...driver,
      connect: (context) => {
        log?.('connecting new client')
        return telling(() => driver.connect(context))
      },
      // Whoever waits is told of each failure, as pg-pool has it: none is so final that nobody may try again.
      classify: (error, during) =>
        during === 'connect' ? 'fatal' : (driver.classify?.(error, during) ?? 'statement'),
    },
    {
      ...poolOptions(options),
      onConnect: (client) =>
        telling(async () => {
          const shown = client as unknown as PgPoolClient
          await onConnect?.(shown)
          if (verify !== undefined) await verified(verify, shown)
        }),
    },
  )

  function telling<T>(attempt: () => Promise<T>): Promise<T> {
    return queue.telling(pool, async () => {
      try {
        return await attempt()
      } catch (error) {
        log?.('client failed to connect', error)
        throw error
      }
    })
  }

  const footing = { pool, options, Client: () => clientClass as unknown as ClientClass, queue }
  return { ...footing, ownsPool: true, identity: 'checkout', translate: inWordsOfPgPool }
}

function verified(
  verify: (client: PgPoolClient, done: (error?: Error) => void) => void,
  client: PgPoolClient,
): Promise<void> {
  return new Promise((resolve, reject) => {
    verify(client, (error) => (error ? reject(error) : resolve()))
  })
}

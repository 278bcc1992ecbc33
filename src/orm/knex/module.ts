import type { Knex } from 'knex'
import { show } from '../../contract/check.ts'
import { AcquireTimeoutError, InvalidOptionError } from '../../contract/errors.ts'
import { loadPackage } from '../../drivers/load-package.ts'
import type { KnexClientClass } from './client.ts'

/** The `knex` package, as the user imports it. */
export type KnexModule = (config: Knex.Config) => Knex

/** The user's own copy of Knex: its dialects, and the error that its users catch. */
export class KnexPackage {
  readonly #make: KnexModule

  /** @throws InvalidOptionError, DriverMissingError */
  constructor(given: unknown) {
    this.#make = callable(given ?? loadPackage('knex'))
  }

  /** The class of a dialect, which Knex itself finds. @throws Knex's error for a name that it does not know */
  dialect(client: NonNullable<Knex.Config['client']>): KnexClientClass {
    if (typeof client === 'function') return client as unknown as KnexClientClass
    // Without a connection nothing is opened. Knex would warn of what SQLite has no use for here.
    const probe = this.#make({ client, useNullAsDefault: true })
    return probe.client.constructor as KnexClientClass
  }

  /** An acquire that took too long, as Knex's users know it. */
  timeoutOf(error: unknown): unknown {
    const { name, cause } = (error ?? {}) as { name?: unknown; cause?: unknown }
    const found = error instanceof AcquireTimeoutError || cause instanceof AcquireTimeoutError
    if (!found || name === 'KnexTimeoutError') return error
    const { KnexTimeoutError } = this.#make as unknown as {
      KnexTimeoutError: new (message: string) => Error
    }
    const known = new KnexTimeoutError(
      `Knex: Timeout acquiring a connection. ${(error as Error).message}. Are you missing a .transacting(trx) call?`,
    )
    return Object.assign(known, { cause: error })
  }
}

/** `import knex from`, `import * as knex from`, `import { knex } from`, or `require`. @throws InvalidOptionError */
function callable(module: unknown): KnexModule {
  const { default: inner, knex } = (module ?? {}) as { default?: unknown; knex?: unknown }
  for (const one of [module, inner, knex]) if (typeof one === 'function') return one as KnexModule
  throw new InvalidOptionError('knex', `"knex" is ${show(module)}: it must be the "knex" package`)
}

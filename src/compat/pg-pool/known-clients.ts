import type { EventEmitter } from 'node:events'
import type { PgClient } from '../../drivers/pg/client.ts'

/** What a pool of this shape knows of one connection, from its first use on. */
export interface KnownClient {
  readonly since: number
  isOut: boolean
  /** Its end is known: what its socket still says of it is no news. */
  isDead: boolean
  /** Listeners that were there before any borrower: they must survive his `removeAllListeners`. */
  readonly kept: ReadonlySet<unknown>
}

/** Who is told what becomes of a connection. */
export interface ClientWatcher {
  first(client: PgClient): void
  diedIdle(error: Error, client: PgClient): void
  ended(client: PgClient): void
}

/** Connections that have been lent at least once. */
export class KnownClients {
  readonly #watcher: ClientWatcher
  readonly #known = new WeakMap<PgClient, KnownClient>()

  constructor(watcher: ClientWatcher) {
    this.#watcher = watcher
  }

  /** Takes note that it is lent. */
  lent(client: PgClient): KnownClient {
    const known = this.#known.get(client) ?? this.#meet(client)
    known.isOut = true
    return known
  }

  #meet(client: PgClient): KnownClient {
    const emitter = client as unknown as EventEmitter
    const known = { since: performance.now(), isOut: false, isDead: false, kept: new Set<unknown>() }
    this.#known.set(client, known)
    emitter.on('error', (error: Error) => {
      if (!known.isDead && !known.isOut) this.#watcher.diedIdle(error, client)
      known.isDead = true
    })
    emitter.once('end', () => this.#watcher.ended(client))
    for (const event of emitter.eventNames())
      for (const listener of emitter.rawListeners(event)) known.kept.add(listener)
    this.#watcher.first(client)
    return known
  }
}

import type { PgClient } from '../../drivers/pg/client.ts'
import { linkOf } from '../../drivers/pg/link.ts'
import type { ConnectionManager6, HostOf6 } from './six.ts'

interface Types {
  getTypeParser(oid: number, format?: string): unknown
}

type Query = (config: unknown, values?: unknown, callback?: unknown) => unknown

/** What Sequelize sees of one client of a shared pool. */
interface View {
  readonly connection: object
  /** Sequelize's session settings are in force. */
  isPrepared: boolean
  /** Sequelize listens for its errors, once: each preparation would add a listener. */
  isHeard: boolean
}

/**
 * Lets Sequelize into clients of a pool that is not its own. It sees each through a view that reads values by Sequelize's
 * parsers, while everybody else's results stay as they were; and it prepares the session once, as it does after
 * connecting, and again when the server reports that somebody has set another time zone, or the session back.
 */
export class PgGuest {
  readonly #host: HostOf6
  readonly #views = new WeakMap<object, View>()
  #types: Types | undefined

  constructor(host: HostOf6) {
    this.#host = host
  }

  async introduce(connection: object): Promise<object> {
    const client = connection as PgClient
    const view = this.#views.get(client) ?? this.#watch(client)
    if (!view.isPrepared) await this.#prepare(client, view)
    return view.connection
  }

  #watch(client: PgClient): View {
    const view: View = {
      connection: this.#viewOf(client, (event) => event === 'error' && view.isHeard),
      isPrepared: false,
      isHeard: false,
    }
    client.connection.on('parameterStatus', ({ parameterName }) => {
      if (parameterName === 'TimeZone') view.isPrepared = false
    })
    this.#views.set(client, view)
    return view
  }

  /** By Sequelize's own connect, for which this client is a new one that connects at once. */
  async #prepare(client: PgClient, view: View): Promise<void> {
    const { manager, writer } = this.#host
    await this.#host.runHooks('beforeConnect', writer)
    await this.#connect(manager, () => view.connection)
    view.isHeard = true
    await this.#host.learnVersion(view.connection)
    await this.#host.runHooks('afterConnect', view.connection, writer)
    // What Sequelize has just sent is reported as well.
    view.isPrepared = !linkOf(client).isLost
  }

  #connect(manager: ConnectionManager6, open: () => object): Promise<object> {
    const { lib } = manager
    const keepTypes = (types: Types) => {
      this.#types = types
    }
    const Client = function Client(config: { types: Types }) {
      keepTypes(config.types)
      return open()
    }
    manager.lib = Object.create(lib, { Client: { value: Client } })
    try {
      // It makes its client before it waits for anything.
      return manager.connect(this.#host.writer)
    } finally {
      manager.lib = lib
    }
  }

  #viewOf(client: PgClient, isDeafTo: (event: string) => boolean): object {
    const send = client.query.bind(client) as Query
    const types: Types = { getTypeParser: (...args) => this.#types?.getTypeParser(...args) }
    const own = new Map<PropertyKey, unknown>([
      ['connect', (done: (error: null) => void) => done(null)],
      [
        'query',
        (text: unknown, ...rest: [unknown, unknown]) =>
          send(typeof text === 'string' ? { text, types } : text, ...rest),
      ],
      ['on', (event: 'error', listener: () => void) => void (isDeafTo(event) || client.on(event, listener))],
      ['end', (done?: () => void) => done?.()],
    ])
    return new Proxy(client, {
      get: (_, key) => own.get(key) ?? memberOf(client, key),
      set: (_, key, value) => Reflect.set(client, key, value, client),
    })
  }
}

/** Methods work on the client itself. */
function memberOf(client: PgClient, key: PropertyKey): unknown {
  const member: unknown = Reflect.get(client, key, client)
  return typeof member === 'function' && !Object.hasOwn(client, key) ? member.bind(client) : member
}

import { LeaseReleasedError } from '../contract/errors.ts'
import type { SqlLease } from '../contract/sql.ts'
import type { PgClient } from '../drivers/pg/client.ts'
import { runHeld } from './held-statement.ts'

type Method = (...args: unknown[]) => unknown
type Release = (error?: unknown) => void
type Members = Record<PropertyKey, unknown>

/** What each has of its own. */
export interface Guest {
  /** Gives it back; from then on it refuses. Needs no `this`. */
  release: Release
}

type GuestClass = new (client: object, release: Release, lease?: SqlLease<PgClient>) => Guest

/**
 * A client in the hands of one borrower, who may show it to others and keep it: after its release it refuses, because the
 * connection may serve somebody else. To look at it is the client, to `instanceof` too. A Proxy would do the same, and take a
 * part of each lookup that can be seen.
 */
export function guestOf<C extends object>(
  client: C,
  release: Release,
  lease?: SqlLease<PgClient>,
): C & Guest {
  return new (guestClassOf(client))(client, release, lease) as C & Guest
}

/** Harm nobody after the release. */
const HARMLESS: ReadonlySet<PropertyKey> = new Set(['off', 'removeListener'])
const OWN: ReadonlySet<PropertyKey> = new Set(['constructor', 'query', 'release', 'removeAllListeners'])
/** To these the pool itself listens: without that the connection's death would end the process. */
const HEARD_BY_POOL: ReadonlySet<unknown> = new Set(['error', 'end'])

/** By what the clients of one copy of pg inherit from. */
const classes = new WeakMap<object, GuestClass>()

function guestClassOf(client: object): GuestClass {
  const kind = Object.getPrototypeOf(client) as object
  const known = classes.get(kind)
  if (known !== undefined) return known
  const made = guestClassLike(client)
  classes.set(kind, made)
  return made
}

function guestClassLike(example: object): GuestClass {
  class PgGuest implements Guest {
    readonly #client: Members
    /** Undefined after it. Whoever remembers a guest for long is not to remember all of its borrowing. */
    #release: Release | undefined
    #isOver = false
    readonly #lease: SqlLease<PgClient> | undefined

    constructor(client: object, release: Release, lease?: SqlLease<PgClient>) {
      this.#client = client as Members
      this.#release = release
      this.#lease = lease
    }

    query(text: unknown, values?: unknown, callback?: unknown): unknown {
      if (!this.#isOver) {
        const client = this.#client as unknown as PgClient & { query: Method }
        const answer =
          callback === undefined && this.#lease !== undefined
            ? runHeld({ lease: this.#lease, client }, text, values)
            : undefined
        return answer ?? client.query(text, values, callback)
      }
      const done = typeof values === 'function' ? values : callback
      if (typeof done !== 'function') return Promise.reject(refusal('query'))
      process.nextTick(done as Method, refusal('query'))
      return undefined
    }

    readonly release = (error?: unknown): void => {
      const release = this.#release
      if (release === undefined) throw refusal('release')
      this.#isOver = true
      this.#release = undefined
      release(error)
    }

    removeAllListeners(event?: string): this {
      for (const name of event === undefined ? (this.#call('eventNames', []) as string[]) : [event])
        if (!HEARD_BY_POOL.has(name)) this.#call('removeAllListeners', [name])
      return this
    }

    static {
      const methods = methodsOf(example)
      for (const key of methods)
        Object.defineProperty(this.prototype, key, {
          value(this: PgGuest, ...args: unknown[]) {
            return this.#call(key, args)
          },
        })
      // A method that somebody has put something else in the place of is called all the same.
      for (const key of Reflect.ownKeys(example))
        if (!OWN.has(key) && !methods.has(key))
          Object.defineProperty(this.prototype, key, {
            get(this: PgGuest) {
              return this.#client[key]
            },
            set(this: PgGuest, value) {
              if (!this.#isOver) this.#client[key] = value
            },
          })
    }

    #call(method: PropertyKey, args: unknown[]): unknown {
      if (this.#isOver && !HARMLESS.has(method)) throw refusal(method)
      const result = Reflect.apply(this.#client[method] as Method, this.#client, args)
      return result === this.#client ? this : result
    }
  }
  return Object.setPrototypeOf(PgGuest.prototype, Object.getPrototypeOf(example)).constructor
}

function methodsOf(client: object): Set<PropertyKey> {
  const methods = new Set<PropertyKey>()
  // Down to what has none above it: Object's prototype, which under Jest is not the one that we know.
  for (
    let from = Object.getPrototypeOf(client), above = Object.getPrototypeOf(from);
    above !== null;
    from = above, above = Object.getPrototypeOf(from)
  )
    for (const key of Reflect.ownKeys(from))
      if (!OWN.has(key) && typeof Reflect.getOwnPropertyDescriptor(from, key)?.value === 'function')
        methods.add(key)
  return methods
}

function refusal(method: PropertyKey): Error {
  return new LeaseReleasedError(
    `client.${String(method)}() after its release: the connection may serve somebody else by now`,
  )
}

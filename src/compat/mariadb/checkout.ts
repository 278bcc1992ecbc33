import { EventEmitter } from 'node:events'
import type { Connection, PoolConnection } from 'mariadb'
import { asyncDispose } from '../../contract/dispose.ts'
import { LeaseReleasedError } from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import { Borrowing } from '../borrowed.ts'
import { Relay } from '../relay.ts'
import { Traces } from '../traces.ts'

type Method = (...args: unknown[]) => unknown

/** They touch nothing that the next borrower could miss. */
const HARMLESS = new Set<PropertyKey>(['escape', 'escapeId', 'isValid', 'serverVersion'])
/** They give no promise that could reject. */
const AT_ONCE = new Set<PropertyKey>(['pause', 'resume', 'queryStream', 'debug', 'debugCompress'])
/** Their first argument is a statement. */
const STATEMENTS = ['query', 'execute', 'batch', 'prepare', 'queryStream'] as const
const EMITTER = Object.keys(EventEmitter.prototype).filter((name) => !name.startsWith('_'))

/** One connection in the hands of one caller, until he gives it back. */
export class Checkout extends Borrowing<Connection> {
  isOver = false
  /** What the caller gets. */
  readonly handle: PoolConnection
  readonly #lease: Lease<Connection>
  readonly #connection: Connection
  readonly #told: (isRenewed: boolean) => void
  readonly #own: ReadonlyMap<PropertyKey, Method>
  #relay: Relay | undefined = undefined
  readonly #traces = new Traces()

  /** `told` hears that it is back, and whether its session is made anew. */
  constructor(lease: Lease<Connection>, told: (isRenewed: boolean) => void) {
    super()
    this.#lease = lease
    this.#connection = lease.connection
    this.#told = told
    this.handle = new Proxy(this.#connection, this) as PoolConnection
    const release = async () => this.#release()
    this.#own = new Map<PropertyKey, Method>([
      ['release', release],
      ['end', release],
      ['close', release],
      [asyncDispose, release],
      ['destroy', () => this.#destroy()],
      ['changeUser', (options) => this.#changeUser(options)],
      ...STATEMENTS.map((name) => [name, this.#statement(name)] as const),
      ...EMITTER.map((name) => [name, (...args: unknown[]) => this.#listen(name, args)] as const),
    ])
  }

  protected ownMember(key: PropertyKey): Method | undefined {
    return this.#own.get(key)
  }

  protected isHarmless(method: PropertyKey): boolean {
    return HARMLESS.has(method)
  }

  protected refuse(method: PropertyKey): unknown {
    const error = new LeaseReleasedError(
      `connection.${String(method)}() after its release: it may serve somebody else by now`,
    )
    if (AT_ONCE.has(method)) throw error
    return Promise.reject(error)
  }

  #statement(name: (typeof STATEMENTS)[number]): Method {
    return (...args) => {
      if (this.isOver) return this.refuse(name)
      this.#traces.sent(args[0])
      return Reflect.apply(this.#connection[name], this.#connection, args)
    }
  }

  #changeUser(options: unknown): unknown {
    if (this.isOver) return this.refuse('changeUser')
    this.#traces.userChanged()
    return this.#connection.changeUser(options as never)
  }

  /** His listeners leave with him. */
  #listen(name: string, args: unknown[]): unknown {
    this.#relay ??= new Relay(this.#connection)
    const { emitter } = this.#relay
    const result: unknown = Reflect.apply(Reflect.get(emitter, name) as Method, emitter, args)
    return result === emitter ? this.handle : result
  }

  #release(): void {
    if (!this.#end()) return
    this.#told(this.#traces.giveBack(this.#lease))
  }

  #destroy(): void {
    if (this.#end()) this.#lease.destroy()
  }

  #end(): boolean {
    const wasOut = !this.isOver
    this.isOver = true
    this.#relay?.end()
    return wasOut
  }
}

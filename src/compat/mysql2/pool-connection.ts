import type { EventEmitter } from 'node:events'
import type { PoolConnection, Query } from 'mysql2'
import { dispose } from '../../contract/dispose.ts'
import { LeaseReleasedError } from '../../contract/errors.ts'
import type { Lease } from '../../contract/lease.ts'
import { oncePer } from '../once-per.ts'
import { Relay } from '../relay.ts'
import { Traces } from '../traces.ts'
import { graft } from './graft.ts'
import type { CoreConnection, Mysql2Package, Settled } from './package.ts'

/** How a borrowed connection ends. */
export interface Lender {
  giveBack(connection: PoolConnection, loan: Loan, traces: Traces): void
  destroy(loan: Loan): void
}

/** What is lent, and by whom. */
export interface Loan {
  readonly lease: Lease<unknown>
  readonly core: CoreConnection
  readonly lender: Lender
}

/** The class of the connections that are lent, for this copy of mysql2: to `instanceof` it is that copy's `PoolConnection`. */
export const poolConnectionOf = oncePer((mysql2: Mysql2Package) => {
  const { prototype } = mysql2.PoolConnection
  const Class = graft(Borrowed, new Proxy(Object.create(prototype), { get: read, set: write }))
  Object.defineProperty(Class, 'name', { value: 'PoolConnection' })
  Object.defineProperty(Class.prototype, 'promise', { value: prototype.promise })
  return Class as unknown as new (
    loan: Loan,
  ) => PoolConnection
})

/**
 * A connection for one borrowing: what is called on it after its end does not reach the next borrower. Whatever it has not
 * itself is the connection's own.
 */
class Borrowed {
  readonly #loan: Loan
  #isOver = false
  readonly #traces = new Traces()
  #relay: Relay | undefined = undefined

  constructor(loan: Loan) {
    this.#loan = loan
  }

  static of(value: object): { core: CoreConnection; isOver: boolean } | undefined {
    return #loan in value ? { core: value.#loan.core, isOver: value.#isOver } : undefined
  }

  get config(): CoreConnection['config'] {
    return this.#loan.core.config
  }

  get threadId(): number {
    return this.#loan.core.threadId
  }

  get _released(): boolean {
    return this.#isOver
  }

  get _pool(): Lender | null {
    return this.#isOver ? null : this.#loan.lender
  }

  query(sql: unknown, values?: unknown, callback?: unknown): Query {
    const { core } = this.#loan
    if (this.#isOver) return refused(core, [sql, values, callback])
    this.#traces.sent(sql)
    const command = core.query(sql, values, callback) as Command
    if (command.onResult === undefined) failWith(core, command)
    else if (command.timeout !== undefined) this.#giveUpLate(command)
    return command
  }

  execute(sql: unknown, values?: unknown, callback?: unknown): Query {
    const { core } = this.#loan
    if (this.#isOver) return refused(core, [sql, values, callback])
    this.#traces.sent(sql)
    const command = core.execute(sql, values, callback) as Command
    if (command.onResult === undefined) failWith(core, command)
    return command
  }

  changeUser(options: unknown, callback?: unknown): unknown {
    if (this.#isOver) return refuse([options, callback])
    this.#traces.userChanged()
    return this.#loan.core.changeUser(options, callback)
  }

  reset(callback?: unknown): unknown {
    if (this.#isOver) return refuse([callback])
    this.#traces.sessionChanged()
    return this.#loan.core.reset(callback as never)
  }

  release(): void {
    if (this.#isOver) return
    this.#end()
    this.#loan.lender.giveBack(this as unknown as PoolConnection, this.#loan, this.#traces)
  }

  destroy(): void {
    if (this.#isOver) return
    this.#end()
    this.#loan.lender.destroy(this.#loan)
  }

  /** As in mysql2 another word for `release`, unless `gracefulEnd` makes it the end of the connection. */
  end(callback?: unknown): void {
    if (!this.#isOver) {
      if (this.#loan.core.config.gracefulEnd === true) this.#loan.lease.retire()
      else this.#warn()
      this.release()
    }
    if (typeof callback === 'function') callback()
  }

  [dispose](): void {
    this.release()
  }

  /** Where this borrower's listeners are. */
  get events(): EventEmitter {
    this.#relay ??= new Relay(this.#loan.core)
    return this.#relay.emitter
  }

  #end(): void {
    this.#isOver = true
    this.#relay?.end()
  }

  /** mysql2 says that a statement which takes too long costs its connection; without that it would hold it to its end. */
  #giveUpLate(command: Command): void {
    const { onResult } = command
    command.onResult = (error, ...rest) => {
      if (error?.code === 'PROTOCOL_SEQUENCE_TIMEOUT') this.destroy()
      onResult?.(error, ...rest)
    }
  }

  #warn(): void {
    const warning = new Error(
      'Calling conn.end() to release a pooled connection is deprecated. In next version calling conn.end() will be restored to default conn.end() behavior. Use conn.release() instead.',
    )
    this.events.emit('warn', warning)
    console.warn(warning.message)
  }
}

const EMITTER =
  'addListener emit eventNames getMaxListeners listenerCount listeners off on once prependListener prependOnceListener rawListeners removeAllListeners removeListener setMaxListeners'
for (const name of EMITTER.split(' ')) {
  const value = function (this: Borrowed, ...args: unknown[]): unknown {
    const { events } = this
    const result = Reflect.apply(Reflect.get(events, name), events, args)
    return result === events ? this : result
  }
  Object.defineProperty(Borrowed.prototype, name, { value, configurable: true, writable: true })
}

/** They touch no more than the connection's config. */
const HARMLESS = new Set<PropertyKey>(['_resolveNamedPlaceholders', 'escape', 'escapeId', 'format', 'raw'])

/** What a borrowed connection has not itself. Once it is over, nothing is to be had by which others could be disturbed. */
function read(prototype: object, key: PropertyKey, receiver: object): unknown {
  const borrowed = Borrowed.of(receiver)
  if (borrowed === undefined) return Reflect.get(prototype, key)
  const { core, isOver } = borrowed
  const value: unknown = Reflect.get(core, key)
  if (typeof value !== 'function')
    return isOver && typeof value === 'object' && key !== 'config' ? undefined : value
  return (...args: unknown[]) => {
    if (Borrowed.of(receiver)?.isOver === true && !HARMLESS.has(key)) return refuse(args)
    const result = Reflect.apply(value, core, args)
    return result === core ? receiver : result
  }
}

function write(_: object, key: PropertyKey, value: unknown, receiver: object): boolean {
  const borrowed = Borrowed.of(receiver)
  if (borrowed?.isOver === false) Reflect.set(borrowed.core, key, value)
  return true
}

interface Command extends Query {
  onResult?: Settled | undefined
  readonly timeout?: number
}

/** Commands without a callback: mysql2 tells them nothing when their connection dies, and their streams would never end. */
const unheard = new WeakMap<CoreConnection, Set<Command>>()

function failWith(core: CoreConnection, command: Command): void {
  const commands = unheard.get(core) ?? new Set()
  if (!unheard.has(core)) {
    unheard.set(core, commands)
    core.on('error', (error: Error) => {
      for (const one of commands) {
        if (one.listenerCount('error') > 0) one.emit('error', error)
        one.emit('end')
      }
    })
  }
  commands.add(command)
  command.once('end', () => commands.delete(command))
}

function refused(core: CoreConnection, args: [sql: unknown, values: unknown, callback: unknown]): Query {
  refuse(args)
  const [sql, values, callback] = args
  const { createQuery } = core.constructor as unknown as {
    createQuery(...args: unknown[]): Query
  }
  return createQuery(sql, values, callback, core.config)
}

/** Tells the callback; without one, whoever called. */
function refuse(args: unknown[]): undefined {
  const error = new LeaseReleasedError(
    'this connection has been given back to the pool already, and may be somebody else’s by now',
  )
  const callback = args.find((arg) => typeof arg === 'function')
  if (callback === undefined) throw error
  process.nextTick(callback as () => void, error)
  return undefined
}

import type { Lease } from '../../contract/lease.ts'
import { OraclePoolError } from './errors.ts'
import type { OracleConnection } from './package.ts'

type Method = (...args: unknown[]) => unknown

/** They give no promise that could reject. */
const AT_ONCE = new Set<PropertyKey>([
  'addListener',
  'appContext',
  'clearAppContext',
  'clearEndUserSecurityContext',
  'encodeOSON',
  'getSodaDatabase',
  'isCompressionEnabled',
  'on',
  'once',
  'queryStream',
  'setEndUserSecurityContext',
])

/** A lent connection: its own `close` gives it back, and after that it is as a closed one. */
export function checkout(lease: Lease<OracleConnection>): OracleConnection {
  const connection = lease.connection
  const methods = new Map<PropertyKey, Method>()
  let isOpen = true
  const close = async (options?: { drop?: boolean }): Promise<void> => {
    if (!isOpen) throw new OraclePoolError('NJS-003')
    isOpen = false
    if (options?.drop === true || !connection.isHealthy()) lease.destroy(new Error('it was dropped'))
    else lease.release()
  }
  const own: Record<PropertyKey, Method> = {
    close: calledBack(close),
    release: calledBack(close),
    isHealthy: () => isOpen && connection.isHealthy(),
    [Symbol.asyncDispose]: () => (isOpen ? close() : Promise.resolve()),
  }
  return new Proxy(connection, {
    get: (_, name) => {
      if (Object.hasOwn(own, name)) return own[name]
      const value = Reflect.get(connection, name) as unknown
      if (typeof value !== 'function' || name === 'constructor') return value
      const known = methods.get(name)
      if (known !== undefined) return known
      const method: Method = (...args) =>
        isOpen ? (value as Method).apply(connection, args) : refuse(name, args)
      methods.set(name, method)
      return method
    },
    set: (_, name, value) => {
      if (!isOpen) throw new OraclePoolError('NJS-003')
      return Reflect.set(connection, name, value)
    },
  })
}

const refuseLater = calledBack(async () => {
  throw new OraclePoolError('NJS-003')
})

function refuse(name: PropertyKey, args: unknown[]): unknown {
  if (AT_ONCE.has(name)) throw new OraclePoolError('NJS-003')
  return refuseLater(...args)
}

/** Takes a callback as its last argument, too. */
export function calledBack<A extends unknown[], T>(work: (...args: A) => Promise<T>) {
  return (...args: unknown[]): Promise<T> | undefined => {
    const callback = args.at(-1)
    if (typeof callback !== 'function') return work(...(args as A))
    work(...(args.slice(0, -1) as A)).then(
      // Outside the promise, so that what the callback throws is nobody's rejection.
      (value) => process.nextTick(callback as Method, null, value),
      (error) => process.nextTick(callback as Method, error),
    )
    return undefined
  }
}

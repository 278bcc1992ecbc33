/** Marks our errors with their class, so that `instanceof` holds across two copies of the package in one process. */
const BRAND = Symbol.for('rockpool.error')

/** Codes are stable; messages may change. */
export type PoolErrorCode =
  | 'ACQUIRE_TIMEOUT'
  | 'QUEUE_FULL'
  | 'POOL_CLOSED'
  | 'CONNECT_FAILED'
  | 'CLOSE_TIMEOUT'
  | 'LEASE_RELEASED'
  | 'POOL_DEADLOCK'
  | 'OVERLOADED'
  | 'INVALID_OPTION'
  | 'DRIVER_MISSING'
  | 'QUERY_TIMEOUT'
  | 'CONNECTION_LOST'
  | 'TRANSACTION_ABORTED'
  | 'COMMIT_UNKNOWN'
  | 'SESSION_STATEMENT'
  | 'POOL_BYPASSED'
  | 'POOL_BUG'

/** Every error that the pool itself makes; what a server or a driver said is kept as `cause`. */
export class PoolError extends Error {
  static readonly brand: string = 'PoolError'

  readonly code: PoolErrorCode

  constructor(code: PoolErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  static {
    // Told by the class when asked: errors are made by the thousand when a queue times out, and few are asked.
    Object.defineProperty(PoolError.prototype, BRAND, {
      get(this: PoolError) {
        return brands(this.constructor as typeof PoolError)
      },
    })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (!Object.hasOwn(this, 'brand')) return Function.prototype[Symbol.hasInstance].call(this, value)
    if (typeof value !== 'object' || value === null) return false
    const carried = (value as { [BRAND]?: readonly string[] })[BRAND]
    return Array.isArray(carried) && carried.includes(this.brand)
  }
}

function brands(made: typeof PoolError): readonly string[] {
  const found: string[] = []
  for (let c = made; c !== Function.prototype && c !== null; c = Object.getPrototypeOf(c)) {
    if (Object.hasOwn(c, 'brand')) found.push(c.brand)
  }
  return found
}

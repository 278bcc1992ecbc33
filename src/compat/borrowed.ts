type Method = (...args: unknown[]) => unknown

/**
 * One borrowing of a connection. What the borrower gets is the connection itself to whoever looks at it (`instanceof`, its
 * fields, fields that an ORM adds), but a fresh object each time: what is called on it after its end does not reach the next
 * borrower. It is its own proxy's handler, because one object fewer is one less to make for every borrowing.
 */
export abstract class Borrowing<C extends object> implements ProxyHandler<C> {
  /** What the borrower has put in the place of methods. */
  #replaced: Map<PropertyKey, unknown> | undefined = undefined
  #forwarders: Map<PropertyKey, { method: Method; forwarder: Method }> | undefined = undefined

  /** The connection may be somebody else's by now. */
  abstract get isOver(): boolean
  /** Members of this borrowing alone, such as `release`. */
  protected abstract ownMember(key: PropertyKey): unknown
  /** Methods that harm nobody after the end, such as `removeListener`. */
  protected abstract isHarmless(method: PropertyKey): boolean
  /** Answers any other method then: throws, or gives what the caller listens to. */
  protected abstract refuse(method: PropertyKey, args: unknown[]): unknown

  get(connection: C, key: PropertyKey, borrowed: unknown): unknown {
    if (this.#replaced?.has(key)) return this.#replaced.get(key)
    const own = this.ownMember(key)
    if (own !== undefined) return own
    const value: unknown = Reflect.get(connection, key, connection)
    // A class that the connection knows is no method of it, nor is a function that somebody gave it.
    if (typeof value !== 'function' || key === 'constructor' || Object.hasOwn(connection, key)) return value
    return this.#forwarder(connection, { key, method: value as Method, borrowed })
  }

  /** A method that somebody wraps is wrapped for this borrowing; everything else is told to the connection. */
  set(connection: C, key: PropertyKey, value: unknown): boolean {
    if (typeof value === 'function' || this.ownMember(key) !== undefined) {
      this.#replaced ??= new Map()
      this.#replaced.set(key, value)
    } else if (!this.isOver) return Reflect.set(connection, key, value, connection)
    return true
  }

  has(connection: C, key: PropertyKey): boolean {
    return (
      Reflect.has(connection, key) || this.#replaced?.has(key) === true || this.ownMember(key) !== undefined
    )
  }

  deleteProperty(connection: C, key: PropertyKey): boolean {
    return this.#replaced?.delete(key) === true || Reflect.deleteProperty(connection, key)
  }

  /** Called on the connection itself, which would otherwise do all of its work through the proxy. */
  #forwarder(
    connection: C,
    { key, method, borrowed }: { key: PropertyKey; method: Method; borrowed: unknown },
  ): Method {
    this.#forwarders ??= new Map()
    const known = this.#forwarders.get(key)
    if (known?.method === method) return known.forwarder
    const forwarder = (...args: unknown[]) => {
      if (this.isOver && !this.isHarmless(key)) return this.refuse(key, args)
      const result = Reflect.apply(method, connection, args)
      return result === connection ? borrowed : result
    }
    this.#forwarders.set(key, { method, forwarder })
    return forwarder
  }
}

import type { PgClient, PgQueryClass } from './client.ts'

/**
 * A class of ours for each copy of pg, whose client takes in pipeline mode only what is a query of its own. Its constructor
 * is not run: it would make an emitter, and a result of pg's own.
 */
export function perQueryClass<T extends { readonly prototype: object }>(
  make: () => T,
): (client: PgClient) => T {
  const classes = new WeakMap<PgQueryClass, T>()
  return (client) => {
    const { Query } = client.constructor as unknown as { Query: PgQueryClass }
    const known = classes.get(Query)
    if (known !== undefined) return known
    const made = make()
    Object.setPrototypeOf(made.prototype, Query.prototype)
    classes.set(Query, made)
    return made
  }
}

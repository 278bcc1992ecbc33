const NAMES = Symbol.for('rockpool.names')

/** The driver's name for its first pool in the process, `pg-2` for its second; counted across copies of the package. */
export function defaultName(driver: string): string {
  const shared = globalThis as { [NAMES]?: Map<string, number> }
  shared[NAMES] ??= new Map()
  const number = (shared[NAMES].get(driver) ?? 0) + 1
  shared[NAMES].set(driver, number)
  return number === 1 ? driver : `${driver}-${number}`
}

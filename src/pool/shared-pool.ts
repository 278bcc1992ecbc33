import { aFunction, aName, assertOption } from '../contract/check.ts'

const SHARED = Symbol.for('rockpool.shared')

/**
 * The same pool for the same name, across reloads of a program's modules and copies of the package. A pool that was closed
 * is created anew.
 */
export function sharedPool<P>(name: string, create: () => P): P {
  assertOption('name', name, aName)
  assertOption('create', create, aFunction)
  const shared = globalThis as { [SHARED]?: Map<string, unknown> }
  shared[SHARED] ??= new Map()
  const known = shared[SHARED].get(name) as (P & { closed?: boolean }) | undefined
  if (known !== undefined && known.closed !== true) return known
  const made = create()
  shared[SHARED].set(name, made)
  return made
}

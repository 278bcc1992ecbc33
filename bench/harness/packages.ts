import { createRequire } from 'node:module'
import { join } from 'node:path'

/** A package that was installed for the benchmarks alone. What we use of it is typed where it is used. */
export function peer<T>(name: string): T {
  return from(process.env.ROCKPOOL_BENCH_PEERS, name)
}

/** ES modules, like the charting libraries, are imported. */
export async function plotting<T>(name: string): Promise<T> {
  const require = createRequire(join(process.env.ROCKPOOL_BENCH_PLOTS as string, 'package.json'))
  return (await import(require.resolve(name))) as T
}

function from<T>(home: string | undefined, name: string): T {
  const module = createRequire(join(home as string, 'package.json'))(name) as T & { default?: T }
  return module.default ?? module
}

import type { TlsOptions } from 'node:tls'
import { show } from '../../contract/check.ts'
import { InvalidOptionError, PoolBypassedError } from '../../contract/errors.ts'
import type { Pool } from '../../contract/pool.ts'

/** A pool that TypeORM stands on: the first is its master, the others only read. */
export interface Node {
  readonly pool: Pool<unknown>
  readonly ownsPool: boolean
  readonly module: unknown
}

/** What TypeORM takes for a package, made for one DataSource. */
export type MakePackage = (nodes: readonly Node[], ssl: TlsOptions) => object

/** By this name TypeORM asks for the n-th node. */
export const REPLICA = 'rockpool '

/** What TypeORM passes to a driver's pool. */
export type Asked = Readonly<Record<string, unknown>>

/**
 * What is asked for here and would not happen must not be believed to have happened: another host, another size.
 * @throws InvalidOptionError
 */
export function assertPoolDecides(asked: Asked, ssl: TlsOptions, meant: readonly string[]): void {
  for (const [name, value] of Object.entries(asked)) {
    if (value === undefined || value === null || meant.includes(name)) continue
    if (name === 'ssl' && (value === ssl || value === false)) continue
    const problem = `"${name}" of TypeORM's options is ${secret(name) ? 'given' : show(value)}, and the pool has its own: leave it out here, and give it to the pool or to its driver`
    throw new InvalidOptionError(
      name,
      `${problem}. A replica is given as rockpoolTypeorm(pool, { replicas: [other] })`,
    )
  }
}

/** @throws PoolBypassedError for a replica that is none of ours */
export function nodeAt(nodes: readonly Node[], index: number): Node {
  const node = nodes[index]
  if (node !== undefined) return node
  const [{ pool }] = nodes as [Node]
  throw new PoolBypassedError(pool.name, 'TypeORM', `it wants replica ${index}, and there is none`)
}

/** The parts of another package: there TypeORM was told a `type` that the pool does not speak. */
export function refusing(names: readonly string[], types: string): PropertyDescriptorMap {
  const get = () => {
    throw new InvalidOptionError('type', `the pool does not speak this "type": it must be ${types}`)
  }
  return Object.fromEntries(names.map((name) => [name, { get }]))
}

function secret(name: string): boolean {
  return /pass|secret|token|connectionString|url|uri|authentication/i.test(name)
}

import type { Pool } from 'mysql2'
import { InvalidOptionError } from '../../contract/errors.ts'

/** One pool of a cluster, and how its server has done lately. */
export interface Node {
  readonly id: string
  readonly pool: Pool
  errorCount: number
  /** On the clock of `performance.now()`; 0 = online. */
  offlineUntil: number
}

export type Selector = (nodes: readonly Node[]) => Node | undefined

const SELECTORS: Readonly<Record<string, () => Selector>> = {
  RR: () => {
    let next = 0
    return (nodes) => nodes[next++ % nodes.length]
  },
  RANDOM: () => (nodes) => nodes[Math.floor(Math.random() * nodes.length)],
  ORDER: () => (nodes) => nodes[0],
}

/** @throws InvalidOptionError */
export function selectorOf(name: string): Selector {
  const make = Object.hasOwn(SELECTORS, name.toUpperCase()) ? SELECTORS[name.toUpperCase()] : undefined
  if (make !== undefined) return make()
  throw new InvalidOptionError(
    'selector',
    `"selector" is ${JSON.stringify(name)}: it must be one of ${Object.keys(SELECTORS).join(', ')}`,
  )
}

/** The pools of a cluster by their names, in the order in which they were added. */
export class Nodes {
  readonly #nodes = new Map<string, Node>()
  #unnamed = 0

  nextName(): string {
    return `CLUSTER::${++this.#unnamed}`
  }

  has(id: string): boolean {
    return this.#nodes.has(id)
  }

  add(id: string, pool: Pool): void {
    this.#nodes.set(id, { id, pool, errorCount: 0, offlineUntil: 0 })
  }

  /** False when it is gone already. */
  delete(node: Node): boolean {
    return this.#nodes.get(node.id) === node && this.#nodes.delete(node.id)
  }

  /** Those whose name fits: `*` stands for anything. */
  matching(pattern: string | RegExp): Node[] {
    const expression = expressionOf(pattern)
    return [...this.#nodes.values()].filter(({ id }) => expression.test(id))
  }

  online(pattern: string | RegExp): Node[] {
    return this.matching(pattern).filter(({ offlineUntil }) => offlineUntil <= performance.now())
  }
}

function expressionOf(pattern: string | RegExp): RegExp {
  if (pattern instanceof RegExp) return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''))
  const parts = pattern.split('*').map((part) => part.replace(/[.*+?^=!:${}()|[\]/\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}

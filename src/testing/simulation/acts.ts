import type { Random } from '../random.ts'
import { type Act, leaseActs } from './acts-lease.ts'
import { poolActs } from './acts-pool.ts'
import { sqlActs } from './acts-sql.ts'
import { worldActs } from './acts-world.ts'
import type { Plan } from './plan.ts'

interface Kind {
  readonly name: string
  /** How it stands in the trace. */
  readonly label: string
  readonly act: Act
  readonly group: 'lease' | 'sql' | 'pool' | 'world'
}

function group(name: Kind['group'], acts: Record<string, Act>): Kind[] {
  return Object.entries(acts).map(([kind, act]) => ({ name: kind, label: `act: ${kind}`, act, group: name }))
}

/** All that can happen in a run. */
export const KINDS: readonly Kind[] = [
  ...group('lease', leaseActs),
  ...group('sql', sqlActs),
  ...group('pool', poolActs),
  ...group('world', worldActs),
]

const OF_HOOKS = ['onConnect', 'onAcquire', 'onRelease'] as const
const OF_SQL = ['query', 'begin', 'commit', 'rollback', 'savepoint', 'stream', 'cancel', 'question']

/** Trouble with what this pool never does would be no trouble. */
function concerns(name: string, { sql, hooks, permits }: Plan): boolean {
  if (name === 'wanted permit') return permits !== undefined
  const what = name.replace('faulty ', '')
  if (what === name) return true
  const hook = OF_HOOKS.find((one) => one === what)
  return hook === undefined ? sql || !OF_SQL.includes(what) : hooks[hook]
}

/** Which act comes next, in the shares of one plan. */
export class Repertoire {
  readonly #plan: Plan
  readonly #groups: Record<Kind['group'], { kinds: Kind[]; weights: number[]; total: number }>

  constructor(plan: Plan) {
    this.#plan = plan
    const pick = (name: Kind['group']) => {
      const chosen = KINDS.map((kind, at) => ({ kind, weight: plan.weights[at] ?? 0 })).filter(
        ({ kind, weight }) => kind.group === name && weight > 0 && concerns(kind.name, plan),
      )
      const weights = chosen.map(({ weight }) => weight)
      return { kinds: chosen.map(({ kind }) => kind), weights, total: weights.reduce((a, b) => a + b, 0) }
    }
    this.#groups = { lease: pick('lease'), sql: pick('sql'), pool: pick('pool'), world: pick('world') }
  }

  draw(random: Random): Kind {
    const { trouble, sql } = this.#plan
    const chance = random.next()
    const group =
      chance < trouble ? 'world' : chance < trouble + 0.02 ? 'pool' : sql && chance > 0.5 ? 'sql' : 'lease'
    const { kinds, weights, total } = this.#groups[group]
    let left = random.next() * total
    for (const [at, kind] of kinds.entries()) {
      left -= weights[at] as number
      if (left < 0) return kind
    }
    return KINDS[0] as Kind
  }
}

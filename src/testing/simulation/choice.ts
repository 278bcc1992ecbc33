import type { Socket } from './socket.ts'
import type { Stage } from './stage.ts'

/** Connections that are idle for sure. Undefined where that cannot be seen. */
function idleOnes(stage: Stage): Socket[] | undefined {
  const { plan, ledger } = stage.parts
  const { onAcquire, onRelease } = plan.hooks
  const { reset = 'rollback' } = plan.options
  const unseen = plan.sql || onAcquire || onRelease || plan.resetsItself || reset === 'full'
  if (unseen || plan.without.includes('isDirty')) return undefined
  return [...ledger.open].filter(({ owner, checking }) => owner === undefined && checking === 0)
}

/** Of several that are idle, the one is lent that was promised. Asked just after it was lent. */
export function judgeChoice(stage: Stage, chosen: Socket): void {
  const { law, options } = stage.parts
  const { idleOrder = 'lifo' } = options
  for (const { id, usedAt } of idleOnes(stage) ?? []) {
    const passedOver = idleOrder === 'lifo' ? usedAt > chosen.usedAt : usedAt < chosen.usedAt
    law.demand(!passedOver, idleOrder, () => `connection ${chosen.id} was lent before ${id}`)
  }
}

/** Idle connections that were last used with this value. */
export function familiarOnes(stage: Stage, affinity: unknown): Socket[] {
  return (idleOnes(stage) ?? []).filter((socket) => socket.affinity === affinity)
}

import { show } from '../contract/check.ts'
import { InvalidOptionError } from '../contract/errors.ts'

/** That it is a pool of ours on which `taker` is to put another shape; `made` says where one comes from. @throws InvalidOptionError */
export function assertPool(pool: unknown, taker: string, made = 'createPool()'): void {
  const { acquire, tryAcquire, stats } = (pool ?? {}) as Record<string, unknown>
  if ([acquire, tryAcquire, stats].every((method) => typeof method === 'function')) return
  throw new InvalidOptionError(
    'pool',
    `${taker} takes a pool of rockpool, such as ${made} gives, not ${show(pool)}`,
  )
}

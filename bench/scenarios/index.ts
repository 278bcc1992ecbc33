import type { Scenario } from '../harness/scenario.ts'
import { contended } from './contended.ts'
import { cycle, tryCycle } from './cycle.ts'
import { idlePools } from './idle-pools.ts'
import { ormScenarios } from './orms.ts'
import { overloads } from './overload.ts'
import { postgres } from './postgres.ts'
import { spikeLong, spikeShort } from './spike.ts'
import { deadlines, waiters } from './waiters.ts'

export const scenarios: readonly Scenario[] = [
  cycle,
  tryCycle,
  contended,
  waiters,
  deadlines,
  spikeShort,
  spikeLong,
  ...postgres,
  ...overloads,
  ...ormScenarios,
  idlePools,
]

import type { FakeOperation } from '../fake-script.ts'
import type { Random } from '../random.ts'
import type { Act } from './acts-lease.ts'
import type { Stage } from './stage.ts'
import type { Fault } from './weather.ts'

function someConnection(stage: Stage, random: Random) {
  const { connections } = stage.parts.server
  return connections.length === 0 ? undefined : random.pick(connections)
}

function faulty(operation: FakeOperation, faults: readonly Fault[]): Act {
  return (stage, _, random) => {
    const { weather, clock } = stage.parts
    weather.storm(clock, operation, random.pick(faults), random.between(1, 300))
  }
}

const ANY: readonly Fault[] = [
  { fails: 0.5 },
  { never: 0.3 },
  { slow: 0.5 },
  { slow: 1, slowMs: 30 },
  { fails: 1 },
]
const MILD: readonly Fault[] = [
  { fails: 0.1 },
  { slow: 0.3, slowMs: 30 },
  { never: 0.02 },
  { fails: 0.02, slow: 0.1 },
]

/** A machine that was away for so long has slept. */
const GAP_MS = 5_001

/** What happens to the server, to the network and to the process. */
export const worldActs: Record<string, Act> = {
  kill(stage, _, random) {
    const victim = someConnection(stage, random)
    if (victim !== undefined) stage.parts.server.kill(victim)
  },

  'kill all': (stage) => stage.parts.server.kill(),

  vanish(stage, _, random) {
    const victim = someConnection(stage, random)
    if (victim !== undefined) stage.parts.server.vanish(victim, random.pick(['silence', 'reset'] as const))
  },

  'vanish all'(stage, _, random) {
    stage.parts.server.vanish(undefined, random.pick(['silence', 'reset'] as const))
  },

  outage(stage, _, random) {
    const { weather, clock, server } = stage.parts
    const ms = random.pick([5, 50, 500, 3_000])
    weather.spell(
      clock,
      random.next() * ms,
      () => server.down(),
      () => server.up(),
    )
  },

  'outage at night'(stage, _, random) {
    const { weather, clock, server } = stage.parts
    const ms = random.between(50, 5_000)
    stage.hushMs = 2 * ms
    weather.spell(
      clock,
      ms,
      () => server.down(),
      () => server.up(),
    )
  },

  freeze(stage, _, random) {
    const { weather, clock, server } = stage.parts
    weather.spell(
      clock,
      random.between(1, 200),
      () => server.freeze(),
      () => server.thaw(),
    )
  },

  demote(stage, _, random) {
    const { weather, clock, server } = stage.parts
    server.demote()
    // A new session meets the old server for a while, or the new one at once.
    if (random.chance(0.5)) return
    const set = (standby: boolean) => () => {
      server.standby = standby
    }
    weather.spell(clock, random.between(1, 200), set(true), set(false))
  },

  crowded(stage, _, random) {
    const { weather, clock, server } = stage.parts
    const set = (most: number) => () => {
      server.maxConnections = most
    }
    weather.spell(clock, random.between(1, 300), set(random.integer(0, 3)), set(stage.parts.plan.serverMax))
  },

  'forget prepared': (stage) => stage.parts.server.forgetPrepared(),

  'faulty connect': faulty('connect', [
    ...ANY,
    { slow: 1, slowMs: 400, deaf: 0.5 },
    { never: 0.5, deaf: 0.5 },
  ]),
  'refused login': faulty('connect', [{ permanent: 1 }, { permanent: 0.5 }]),
  'faulty close': faulty('close', ANY),
  'faulty check': faulty('isAlive', [...ANY, { denies: 0.5 }, { denies: 1 }]),
  'faulty reset': faulty('reset', ANY),
  'faulty question': faulty('confirmStale', ANY),
  'faulty query': faulty('query', MILD),
  'faulty begin': faulty('begin', MILD),
  'faulty commit': faulty('commit', MILD),
  'faulty rollback': faulty('rollback', MILD),
  'faulty savepoint': faulty('savepoint', MILD),
  'faulty stream': faulty('stream', MILD),
  'faulty cancel': faulty('cancel', ANY),
  'faulty onConnect': faulty('onConnect', ANY),
  'faulty onAcquire': faulty('onAcquire', ANY),
  'faulty onRelease': faulty('onRelease', ANY),

  block(stage, _, random) {
    const { clock } = stage.parts
    const from = stage.now
    clock.block(random.pick([5, 25, 200, 2_000]) * random.next())
    stage.blocked(from)
  },

  suspend(stage, _, random) {
    const { clock, ledger } = stage.parts
    const from = stage.now
    const ms = random.between(100, 20_000)
    const what = random.pick(['process', 'machine'] as const)
    clock.suspend(ms, what)
    // Servers and firewalls may have given up what was silent for so long.
    if (what === 'machine' && ms > GAP_MS) ledger.fitness.slept()
    stage.blocked(from)
  },
}

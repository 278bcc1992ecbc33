import { parseArgs } from 'node:util'
import { withLightSignals } from './counted-signal.ts'
import { shrink } from './shrink.ts'
import { type SimulationResult, simulate } from './simulate.ts'
import type { PoolMakers } from './stage.ts'
import { sweep } from './sweep.ts'

const HELP = `npm run sim -- [options]

  --seeds N     how many seeds are played (default 100)
  --from N      the first of them (default 1; any whole number from 0 to 2^53-1)
  --seed N      plays one seed, as it was played before
  --operations N  calls and events in each (default 10000)
  --trace       prints a hash of everything that happened
  --lines       prints everything that happened
  --bail        stops at the first violation
  --no-shrink   a failing run is told of as it is

ROCKPOOL_UNDER_TEST names a folder with the sources of the pool that is played with (default: src).
`

const OPTIONS = {
  seeds: { type: 'string', default: '100' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  operations: { type: 'string', default: '10000' },
  trace: { type: 'boolean', default: false },
  lines: { type: 'boolean', default: false },
  bail: { type: 'boolean', default: false },
  'no-shrink': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const

/** How much of a run without a violation is worth reading. */
const LAST_LINES = 400
/** So many failing runs are told of; the others are only counted. */
const MOST_TOLD = 3

type Print = (line: string) => void

/** `npm run sim`: gives the exit code. */
export async function main(args: string[], makers: PoolMakers, print: Print = console.log): Promise<number> {
  let values: ReturnType<typeof parse>
  try {
    values = parse(args)
  } catch (error) {
    print(error instanceof Error ? error.message : String(error))
    return 2
  }
  if (values.help) {
    print(HELP)
    return 0
  }
  return withLightSignals(() => play(values, makers, print))
}

async function play(values: ReturnType<typeof parse>, makers: PoolMakers, print: Print): Promise<number> {
  const { trace, lines, operations } = values
  const only = values.seed
  const failed: SimulationResult[] = []
  const start = process.cpuUsage()
  const figures = await sweep({
    from: only ?? values.from,
    seeds: only === undefined ? values.seeds : 1,
    operations,
    makers,
    onResult: (result) => {
      if (trace) print(`seed ${result.seed}: trace ${result.hash}`)
      if (result.violation !== undefined) failed.push(result)
      return result.violation === undefined || !values.bail
    },
  })
  const { user, system } = process.cpuUsage(start)
  if (lines)
    for (const line of (await simulate(only ?? values.from, { makers, operations, lines })).lines) print(line)
  for (const result of failed.slice(0, MOST_TOLD))
    await tell(result, { makers, print, shrinks: values.shrinks })
  for (const { seed, violation } of failed.slice(MOST_TOLD)) print(`seed ${seed}: ${violation?.rule}`)
  const rate = Math.round(figures.operations / ((user + system) / 1e6))
  print(
    `${figures.seeds} seeds, ${figures.operations} operations, ${rate} operations/s, ${figures.violations} violations`,
  )
  return figures.violations === 0 ? 0 : 1
}

async function tell(
  result: SimulationResult,
  { makers, print, shrinks }: { makers: PoolMakers; print: Print; shrinks: boolean },
): Promise<void> {
  const { seed, violation, acts, plan } = result
  print(`seed ${seed} breaks a rule: ${violation?.rule}: ${violation?.detail} (at ${violation?.at} ms)`)
  print(`  a ${plan.sql ? 'SQL pool' : 'pool'} with ${JSON.stringify(plan.options)}`)
  const more = { hooks: plan.hooks, without: plan.without, permits: plan.permits, resets: plan.resetsItself }
  print(`  ${JSON.stringify(more)}`)
  if (shrinks) {
    const shrunk = await shrink(result, { makers })
    print(`  ${shrunk.acts} of ${acts} acts are enough:`)
    for (const line of shrunk.lines.slice(-LAST_LINES)) print(`  ${line}`)
  }
  print(`  again: npm run sim -- --seed ${seed}`)
}

function parse(args: string[]) {
  const { values } = parseArgs({ args, options: OPTIONS })
  return {
    seeds: whole('seeds', values.seeds),
    from: whole('from', values.from),
    seed: values.seed === undefined ? undefined : whole('seed', values.seed),
    operations: whole('operations', values.operations),
    trace: values.trace,
    lines: values.lines,
    bail: values.bail,
    shrinks: !values['no-shrink'],
    help: values.help,
  }
}

function whole(name: string, text: string): number {
  const number = Number(text)
  if (text.trim() !== '' && Number.isSafeInteger(number) && number >= 0) return number
  throw new Error(`--${name} is a whole number from 0 to ${Number.MAX_SAFE_INTEGER}, not ${text}`)
}

import { parseArgs } from 'node:util'
import { startEmbeddedPostgres } from '../src/testing/embedded-postgres.ts'
import type { Scenario, ScenarioResult, Server, Setting } from './harness/scenario.ts'
import { stopwatch } from './harness/time.ts'
import { takeTurns } from './harness/turns.ts'
import { writeDocument } from './report/document.ts'
import { printResult, printVerdicts, say, write } from './report/print.ts'
import { loadRecord, recordOf, saveRecord } from './report/record.ts'
import { scenarios } from './scenarios/index.ts'
import { prepareServer } from './subjects/databases.ts'

const HELP = `npm run bench -- [options]

  --quick           under three minutes: fewer rounds, fewer subjects
  --only a,b        these scenarios
  --json file       writes all figures to a file
  --write-docs      writes docs/benchmarks.md and its pictures
  --from file       measures nothing: shows (and writes) the figures of an earlier run
  --strict          fails when a target is not met
  --list            names the scenarios
`

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    json: { type: 'string' },
    'write-docs': { type: 'boolean', default: false },
    from: { type: 'string' },
    strict: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

if (options.help) write(HELP)
else if (options.list) for (const { name, title } of scenarios) write(`${name.padEnd(18)}${title}`)
else await bench()

async function bench(): Promise<void> {
  const elapsed = stopwatch()
  const record = options.from === undefined ? await measure() : loadRecord(options.from)
  if (options.from !== undefined) for (const result of record.results) show(result)
  printVerdicts(record.verdicts)
  if (options.json !== undefined) saveRecord(options.json, record)
  if (options['write-docs']) await writeDocument(record, scenarios, process.cwd())
  write(`${(elapsed() / 1000).toFixed(0)} s`)
  const isMissed = record.verdicts.some(({ outcome }) => outcome !== 'met')
  // A signal or a crash ends it otherwise: the servers and the subjects must not outlive us.
  process.exit(options.strict && isMissed ? 1 : 0)
}

async function measure() {
  const chosen = choose()
  const results: ScenarioResult[] = []
  const server = chosen.some(({ needsServer }) => needsServer) ? await startServer() : undefined
  try {
    const setting: Setting = { quick: options.quick, server: server?.facts }
    for (const scenario of chosen) {
      const result = await takeTurns(scenario, setting, say)
      printResult(scenario, result)
      results.push(result)
    }
  } finally {
    await server?.close()
  }
  return recordOf(results, options.quick)
}

function choose(): readonly Scenario[] {
  const names = options.only?.split(',')
  const unknown = names?.find((name) => !scenarios.some((scenario) => scenario.name === name))
  if (unknown !== undefined) {
    write(`there is no scenario ${unknown}; there are: ${scenarios.map(({ name }) => name).join(' ')}`)
    process.exit(1)
  }
  if (names !== undefined) return scenarios.filter(({ name }) => names.includes(name))
  return scenarios.filter(({ long }) => !options.quick || long !== true)
}

async function startServer(): Promise<{ facts: Server; close(): Promise<void> }> {
  say('starting PostgreSQL')
  const server = await startEmbeddedPostgres({ unixSocket: true, maxConnections: 200 })
  const { host, port, user, socketFolder = '' } = server
  const facts = { host, port, user, socketFolder }
  await prepareServer(facts)
  return { facts, close: () => server.close() }
}

function show(result: ScenarioResult): void {
  const scenario = scenarios.find(({ name }) => name === result.name)
  if (scenario !== undefined) printResult(scenario, result)
}

import { otherLanguage } from '../others/index.ts'
import { forkSubject, type Participant, retire } from './participant.ts'
import type { Reading, Samples, Scenario, ScenarioResult, Setting } from './scenario.ts'
import { stopwatch } from './time.ts'

/** Runs a scenario: all subjects take turns, so that whatever else the machine does befalls all of them. */
export async function takeTurns(
  scenario: Scenario,
  setting: Setting,
  say: (words: string) => void,
): Promise<ScenarioResult> {
  const elapsed = stopwatch()
  const result = { name: scenario.name, tookMs: 0, samples: {}, skipped: {} } as Mutable<ScenarioResult>
  const { rounds, budgetMs, cold = false } = scenario.plan(setting.quick)
  const racers: Racer[] = []
  for (const subject of scenario.subjects(setting.quick)) {
    try {
      const other = otherLanguage(subject)
      const participant = other?.start() ?? forkSubject(scenario.name, subject, setting)
      racers.push(new Racer(await participant))
    } catch (error) {
      result.skipped[subject] = (error as Error).message
    }
  }
  const warmUps = cold ? 0 : 1
  for (let round = 0; round < rounds + warmUps; round++) {
    say(`${scenario.name}: ${round < warmUps ? 'warm-up' : `round ${round + 1 - warmUps} of ${rounds}`}`)
    for (const racer of inTurn(racers, round)) {
      if (racer.spentMs > budgetMs && racer.rounds > 0) continue
      if (round < warmUps) await racer.warmUp(budgetMs)
      else await racer.turn()
    }
  }
  for (const racer of racers) {
    if (racer.failure === undefined) result.samples[racer.name] = racer.samples
    else result.skipped[racer.name] = racer.failure
    retire(racer.participant)
  }
  result.tookMs = Math.round(elapsed())
  return result
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** Somebody else begins each time. */
function inTurn<T>(all: readonly T[], round: number): T[] {
  const first = all.length === 0 ? 0 : round % all.length
  return [...all.slice(first), ...all.slice(0, first)]
}

class Racer {
  readonly participant: Participant
  readonly samples: Samples = {}
  spentMs = 0
  rounds = 0
  failure: string | undefined

  constructor(participant: Participant) {
    this.participant = participant
  }

  get name(): string {
    return this.participant.name
  }

  /** One turn that does not count, unless it took so long that there will be no other. */
  async warmUp(budgetMs: number): Promise<void> {
    const reading = await this.#run()
    if (reading !== undefined && this.spentMs > budgetMs) this.#keep(reading)
  }

  async turn(): Promise<void> {
    const reading = await this.#run()
    if (reading !== undefined) this.#keep(reading)
  }

  #keep(reading: Reading): void {
    this.rounds++
    for (const [metric, value] of Object.entries(reading)) {
      this.samples[metric] ??= []
      this.samples[metric].push(value)
    }
  }

  async #run(): Promise<Reading | undefined> {
    if (this.failure !== undefined) return undefined
    const since = performance.now()
    try {
      return await this.participant.run()
    } catch (error) {
      this.failure = (error as Error).message
      return undefined
    } finally {
      this.spentMs += performance.now() - since
    }
  }
}

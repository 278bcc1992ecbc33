import type { Setting, Trial } from './harness/scenario.ts'
import { scenarios } from './scenarios/index.ts'

// One subject in one scenario, in a process of its own. Takes a turn whenever it is told to.

const [, , name, subject, setting] = process.argv as [string, string, string, string, string]
// Nobody is left to tell.
process.on('disconnect', () => process.exit())

try {
  const scenario = scenarios.find((one) => one.name === name)
  if (scenario === undefined) throw new Error(`there is no scenario ${name}`)
  const trial = await scenario.start(subject, JSON.parse(setting) as Setting)
  process.on('message', () => void turn(trial))
  process.send?.({ reading: {} })
} catch (error) {
  tell(error)
}

async function turn(trial: Trial): Promise<void> {
  try {
    process.send?.({ reading: await trial.run() })
  } catch (error) {
    tell(error)
  }
}

function tell(error: unknown): void {
  process.send?.({ error: error instanceof Error ? error.message : String(error) })
}

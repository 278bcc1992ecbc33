import { cases } from './cases.ts'

/** One thing that was tried. */
export interface Told {
  readonly name: string
  readonly error?: string
}

for (const [name, run] of Object.entries(cases)) {
  const told: Told = await run().then(
    () => ({ name }),
    (error) => ({ name, error: String(error?.stack ?? error) }),
  )
  process.stdout.write(`${JSON.stringify(told)}\n`)
}

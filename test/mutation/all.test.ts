import { NAMESPACE } from './messages.mjs'

// Every test that judges mutants, in one file: a resident worker loads it once.
const mutant = process.env.ROCKPOOL_STATIC_MUTANT
const shared = globalThis as Record<string, unknown>
if (mutant) shared[NAMESPACE] = { activeMutant: mutant }

// @ts-expect-error Vite's own, which its bundler types alone know
const files: Record<string, () => Promise<unknown>> = import.meta.glob([
  '../unit/{engine,pool,sql}/**/*.test.ts',
  // Processes are started there, which takes longer than all the rest.
  '!../unit/pool/process.test.ts',
  '../property/{engine,structures}.test.ts',
  '../field/**/*.test.ts',
  // It reads documents, which are not there.
  '!../field/list.test.ts',
])
// These cost more than all others together. Without them for a first look; then `--incremental` asks them about the
// survivors alone.
const COSTLY = ['/property/', '/pool/outcomes']
const quick = process.env.ROCKPOOL_MUTATION === 'quick'
for (const [file, load] of Object.entries(files))
  if (!quick || !COSTLY.some((part) => file.includes(part))) await load()

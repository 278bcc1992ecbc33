import type { Verdict } from '../../comparison/comparison.ts'
import { cases } from './cases.ts'
import { comparisons } from './comparisons.ts'
import { ask } from './lab.ts'
import { sharing } from './sharing.ts'
import { ours, theirs, tried } from './sides.ts'

/** One thing that was tried, or compared. */
export interface Told {
  readonly name: string
  readonly error?: string
  /** Of a comparison. */
  readonly theirs?: string
  readonly ours?: string
  readonly verdict?: Verdict
  readonly reason?: string
}

const tell = (told: Told) => process.stdout.write(`${JSON.stringify(told)}\n`)
await ask(`create table person (id serial primary key, name text not null check (name <> ''));
  create table pet (owner_id int not null references person);
  create table late_pet (owner_id int not null references person deferrable initially deferred)`)
for (const [name, run] of Object.entries({ ...cases, ...sharing }))
  await run().then(
    () => tell({ name }),
    (error) => tell({ name, error: String(error?.stack ?? error) }),
  )
for (const { run, ...told } of comparisons)
  tell({ ...told, theirs: await tried(theirs, run), ours: await tried(ours, run) })
process.exit(0)

import type { Trial } from './trial.ts'

/** One thing that a correct driver does, named as a sentence. */
export interface Case {
  readonly name: string
  readonly run: <C>(trial: Trial<C>) => Promise<void>
}

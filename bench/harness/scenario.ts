/** What one turn of one subject came to: figures by the name of their metric. */
export type Reading = Readonly<Record<string, number>>

/** A subject made ready for a scenario. Each call of `run` is one turn. */
export interface Trial {
  run(): Promise<Reading>
  end?(): Promise<void> | void
}

export interface Metric {
  readonly name: string
  readonly title: string
  readonly unit: string
  readonly digits?: number
}

/** How the turns are spread: every subject has so many, after one that only warms it up. */
export interface Plan {
  readonly rounds: number
  /** A subject that has taken longer than this in all has no further turns. */
  readonly budgetMs: number
  /** The first turn counts as well: for work whose speed does not depend on the compiler. */
  readonly cold?: boolean
}

/** Where the database is. */
export interface Server {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly socketFolder: string
}

export interface Setting {
  readonly quick: boolean
  readonly server: Server | undefined
}

export interface Scenario {
  readonly name: string
  readonly title: string
  /** What is done, and what is unfair to whom. */
  readonly about: string
  readonly metrics: readonly Metric[]
  /** The one that is plotted, and whether less of it is better. */
  readonly plotted: { readonly metric: string; readonly less: boolean }
  readonly needsServer?: boolean
  /** Not part of `--quick`. */
  readonly long?: boolean
  subjects(quick: boolean): readonly string[]
  plan(quick: boolean): Plan
  start(subject: string, setting: Setting): Promise<Trial>
}

/** The samples of one metric in the order of the rounds. */
export type Samples = Record<string, number[]>

export interface ScenarioResult {
  readonly name: string
  readonly tookMs: number
  /** By subject. */
  readonly samples: Record<string, Samples>
  /** Why a subject did not run. */
  readonly skipped: Record<string, string>
}

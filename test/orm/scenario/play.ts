import pgModule from 'pg'
import { chapters } from './chapters.ts'
import type { ScenarioOrm, Side } from './orm.ts'
import { rateOf } from './rate.ts'

/** What a program prints, line by line. */
export interface Told {
  readonly chapter: string
  readonly outcome: string
}

/** The program of one ORM: plays the scenario on one side, or measures both, as its arguments say. */
export async function play(orm: ScenarioOrm): Promise<void> {
  const [what = '', url = ''] = process.argv.slice(2)
  // What would have ended the process is a result, and the next chapter's business is another.
  const uncaught: unknown[] = []
  process.on('unhandledRejection', (error) => uncaught.push(error))
  process.on('uncaughtException', (error) => uncaught.push(error))
  const tell = (told: Told) => process.stdout.write(`${JSON.stringify(told)}\n`)
  if (what === 'rate') tell({ chapter: 'rate', outcome: await rateOf(orm, url) })
  else
    for (const { name, run, waitMs } of chapters) {
      uncaught.length = 0
      const chapter = async () => run(await orm[what as Side]({ url, max: 5, waitMs }), adminOf(url))
      const outcome = await chapter().catch((error) => `fails: ${error}`)
      tell({ chapter: name, outcome: uncaught.length > 0 ? `crashes the process; ${outcome}` : outcome })
    }
  process.exit(0)
}

export type Admin = (sql: string) => Promise<Record<string, unknown>[]>

/** The superuser's own connection. */
function adminOf(url: string): Admin {
  return async (sql) => {
    const client = new pgModule.Client({ connectionString: url, application_name: 'admin' })
    client.on('error', () => undefined)
    await client.connect()
    try {
      const result = await client.query(sql)
      return Array.isArray(result) ? [] : result.rows
    } finally {
      await client.end()
    }
  }
}

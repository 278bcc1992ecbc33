import pgModule from 'pg'
import type { SqlPool } from '../../../src/index.ts'
import type { EmbeddedPostgres } from '../../../src/testing/embedded-postgres.ts'
import type { Random } from '../../../src/testing/random.ts'
import { pause } from '../chaos.ts'
import { ROLE } from './database.ts'

const ONE_OF_OURS = `select pg_terminate_backend(pid) from (
  select pid from pg_stat_activity where usename = '${ROLE}' order by $2 and state = 'active' desc, pid offset $1 limit 1) as one`

/** Does all the time what administrators and servers do now and then. */
export class Saboteur {
  kills = 0
  resizes = 0
  refreshes = 0
  changes = 0
  readonly #pool: SqlPool
  readonly #max: number
  readonly #random: Random
  readonly #admin: pgModule.Client
  #isOn = true

  constructor(server: EmbeddedPostgres, pool: SqlPool, { random, max }: { random: Random; max: number }) {
    this.#pool = pool
    this.#random = random
    this.#max = max
    this.#admin = new pgModule.Client({ connectionString: server.url(), application_name: 'admin' })
  }

  /** Goes on until `stop`, with about so much time between two kills. */
  async run(pauseMs: number): Promise<void> {
    await this.#admin.connect()
    try {
      while (this.#isOn) {
        await pause(this.#random.between(0.5, 1.5) * pauseMs)
        await this.#kill()
        if (this.#random.chance(0.5)) this.#resize()
        if (this.#random.chance(0.2)) this.#refresh()
        if (this.#random.chance(0.5)) await this.#changeShape()
      }
    } finally {
      await this.#admin.end()
    }
  }

  stop(): void {
    this.#isOn = false
  }

  async #kill(): Promise<void> {
    // Sessions that do nothing are the most: now and then it is to be one that works.
    const works = this.#random.chance(0.5)
    const which = this.#random.integer(0, works ? 2 : this.#max - 1)
    const { rowCount } = await this.#admin.query(ONE_OF_OURS, [which, works])
    this.kills += rowCount ?? 0
  }

  /** Never so few that those who hold a connection while they wait have all of them. */
  #resize(): void {
    this.#pool.resize({ max: this.#random.integer(this.#max / 2, this.#max) })
    this.resizes++
  }

  #refresh(): void {
    this.#pool.refresh()
    this.refreshes++
  }

  async #changeShape(): Promise<void> {
    const isOdd = this.changes++ % 2 === 0
    await this.#admin.query(`alter table shape ${isOdd ? 'add' : 'drop'} column extra${isOdd ? ' int' : ''}`)
  }
}

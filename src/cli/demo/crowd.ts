import { setTimeout as sleep } from 'node:timers/promises'
import type { SqlPool } from '../../contract/sql.ts'
import { createPool } from '../../create-pool.ts'
import type { View } from '../view.ts'
import { counted, duration } from './figures.ts'
import { drawGauges, wordGauges } from './gauges.ts'
import { type Stage, withPool } from './stage.ts'
import type { Watcher } from './watcher.ts'

const COUNT_EVERY_MS = 100
/** The end of the crowd, all connections idle, is worth a look. */
const LINGER_MS = 400

/** Many tasks on few connections. */
export async function showCrowd(stage: Stage, watcher: Watcher): Promise<void> {
  const { screen, database, size } = stage
  const { good, symbols } = screen.look
  await watcher.settled()
  const pool = createPool(database.driver(database.application), { name: 'demo', max: size.connections })
  await withPool(stage, pool, async () => {
    const counts = new ServerCounts(watcher)
    const ms = await watchCrowd(stage, pool, counts).finally(() => counts.stop())
    const { acquired, created, waitTime } = pool.stats()
    const tell = (text: string) => screen.line(`   ${good(symbols.done)} ${text}`)
    tell(`${counted(acquired, 'task')} in ${duration(ms)} on ${counted(created, 'connection')}`)
    tell(`they waited ${duration(waitTime.p50Ms)} (p50), ${duration(waitTime.maxMs)} at most`)
    tell(`the server never counted more than ${counted(counts.most, 'connection')}`)
  })
}

async function watchCrowd(stage: Stage, pool: SqlPool, counts: ServerCounts): Promise<number> {
  const { screen, size } = stage
  let done = 0
  const since = performance.now()
  const work = async () => {
    await Promise.all(Array.from({ length: size.crowd }, () => task(pool, size.taskMs).then(() => done++)))
    const ms = performance.now() - since
    await sleep(LINGER_MS)
    return ms
  }
  const view: View = {
    progress: () => done / size.crowd,
    count: () => `${done}/${size.crowd}`,
    lines: (look) => [...drawGauges(pool.stats(), look), `the server counts ${counts.last}`],
    words: () => `${wordGauges(pool.stats())}; the server counts ${counts.last}`,
  }
  return screen.follow(work(), view)
}

/** Keeps a connection busy for between half and one and a half times as long. */
function task(pool: SqlPool, ms: number): Promise<unknown> {
  const seconds = (ms * (0.5 + Math.random())) / 1000
  return pool.use((lease) => lease.query('select pg_sleep($1)', [seconds]))
}

/** What the server says about us, asked again and again. */
class ServerCounts {
  last = 0
  most = 0
  #stopped = false

  constructor(watcher: Watcher) {
    // Without a count the picture goes on; that it is missing shows.
    void this.#run(watcher).catch(() => undefined)
  }

  stop(): void {
    this.#stopped = true
  }

  async #run(watcher: Watcher): Promise<void> {
    while (!this.#stopped) {
      this.last = await watcher.connections()
      this.most = Math.max(this.most, this.last)
      await sleep(COUNT_EVERY_MS)
    }
  }
}

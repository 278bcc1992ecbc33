import { messageOf } from '../../contract/errors.ts'
import type { Cleanup } from '../cleanup.ts'
import type { Screen } from '../view.ts'
import { type Comparison, compare, type Run } from './comparison.ts'
import { showCrowd } from './crowd.ts'
import { assertReachable, openDatabase } from './database.ts'
import { duration, number, times } from './figures.ts'
import { showMistakes } from './mistakes.ts'
import { showOutage } from './outage.ts'
import { adapt, FULL, QUICK } from './size.ts'
import type { Stage } from './stage.ts'
import { Watcher } from './watcher.ts'

interface Wanted {
  readonly url: string | undefined
  readonly quick: boolean
}

interface Means {
  readonly screen: Screen
  readonly cleanup: Cleanup
  readonly signal: AbortSignal
}

/** Shows the pool at work, and has closed everything when it is done. */
export async function demo(wanted: Wanted, means: Means): Promise<void> {
  const { screen, cleanup } = means
  const since = performance.now()
  const { stage, watcher } = await open(wanted, means)
  const { queries, crowd, connections } = stage.size
  const comparisons = await act(
    screen,
    `1  ${queries} queries, with a connection for each and with a pool`,
    () => compare(stage),
  )
  await act(screen, `2  ${crowd} tasks on ${connections} connections`, () => showCrowd(stage, watcher))
  await act(screen, '3  The server ends all connections while they work', () => showOutage(stage, watcher))
  await act(screen, '4  A leak, a full pool, a clean close', () => showMistakes(stage, watcher))
  screen.line()
  await summarize(screen, comparisons)
  await cleanup.run()
  const farewell =
    stage.database.kind === 'own'
      ? 'The server and its folder are gone again.'
      : 'Nothing was created in the database, and all connections are closed.'
  screen.line()
  screen.line(screen.look.dim(`${farewell} ${duration(performance.now() - since)} in all.`))
}

async function open({ url, quick }: Wanted, means: Means): Promise<{ stage: Stage; watcher: Watcher }> {
  const { bold } = means.screen.look
  const since = performance.now()
  const database = await openDatabase(url, means.cleanup)
  await assertReachable(database, means.signal)
  const took = duration(performance.now() - since)
  const watcher = new Watcher(database, means.cleanup)
  const { version, database: name, user } = await watcher.about()
  const about = database.kind === 'own' ? `started for this in ${took}` : `database "${name}", user "${user}"`
  means.screen.line(`${bold('rockpool demo')}  PostgreSQL ${version}, ${about}`)
  const size = adapt(quick ? QUICK : FULL, await watcher.room())
  return { stage: { ...means, database, size }, watcher }
}

async function act<T>(screen: Screen, title: string, play: () => Promise<T>): Promise<T> {
  screen.line()
  screen.line(screen.look.bold(title))
  try {
    return await play()
  } catch (error) {
    throw new Error(`step ${title.charAt(0)} failed: ${messageOf(error)}`, { cause: error })
  }
}

async function summarize(screen: Screen, comparisons: readonly Comparison[]): Promise<void> {
  const head = ['', 'a connection for each', 'pooled', 'ratio']
  const rows = comparisons.flatMap(({ label, alone, pooled, ratio }) => [
    [label, inTime(alone), inTime(pooled), times(ratio)],
    ['  connections opened', number(alone.connections), number(pooled.connections), ''],
  ])
  await screen.table(head, rows)
}

function inTime({ queries, ms }: Run): string {
  return `${number(queries)} in ${duration(ms)}`
}

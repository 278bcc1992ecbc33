// What the pool costs beside one connection in the main thread: node --import tsx bench/sqlite.ts [library]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEngine } from '../src/drivers/sqlite/engine.ts'
import { sqlite } from '../src/drivers/sqlite/index.ts'
import { findLibrary } from '../src/drivers/sqlite/library.ts'
import { createPool } from '../src/index.ts'

interface Native {
  prepare(text: string): { get(...params: unknown[]): unknown; all(...params: unknown[]): unknown[] }
}

const ROUNDS = 300
const LOOKUPS = 300
const folder = mkdtempSync(join(tmpdir(), 'rockpool-bench-'))
const file = join(folder, 'app.db')
const library = findLibrary(process.argv[2])
const setup = ['pragma journal_mode = wal']
const engine = openEngine(library.kind, library.module, { file, readOnly: false, setup, bigints: false })
engine.script(`create table t (id integer primary key, note text, n integer);
  insert into t with recursive s(x) as (select 1 union all select x + 1 from s limit 10000) select x, 'note ' || x, 2 * x from s`)
const native = engine.native as Native
const pool = createPool(sqlite({ file }, { module: library.kind }), { max: 2 })

const text = 'select id, note, n from t where id = ?'
const heavy =
  'with recursive s(x) as (select 1 union all select x + 1 from s limit 3000000) select count(*) from s'

/** Microseconds for one: the median of many short rounds in which the candidates take turns. */
async function compare(candidates: Record<string, (id: number) => unknown>): Promise<Record<string, number>> {
  const times = Object.entries(candidates).map(([name, run]) => ({ name, run, all: [] as number[] }))
  for (let round = 0; round < ROUNDS; round++) {
    for (const { run, all } of times) {
      await new Promise((resolve) => setImmediate(resolve))
      const start = performance.now()
      for (let i = 0; i < LOOKUPS; i++) await run(((round * LOOKUPS + i) % 10_000) + 1)
      all.push(((performance.now() - start) / LOOKUPS) * 1000)
    }
  }
  return Object.fromEntries(times.map(({ name, all }) => [name, all.sort((a, b) => a - b)[ROUNDS / 2] ?? 0]))
}

function print(what: string, value: number, unit: string, beside?: number): void {
  const ratio = beside === undefined ? '' : `  ${(value / beside).toFixed(2)} times`
  console.log(`  ${what.padEnd(44)}${value.toFixed(2).padStart(9)} ${unit}${ratio}`)
}

/** The best of three: other programs only ever make it slower. */
async function best(measure: () => Promise<number>): Promise<number> {
  return Math.min(await measure(), await measure(), await measure())
}

async function timed(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** The longest time that a timer of 1 ms was late while this ran. */
async function loopDelay(work: () => Promise<unknown>): Promise<number> {
  let last = performance.now()
  let most = 0
  const timer = setInterval(() => {
    const now = performance.now()
    most = Math.max(most, now - last - 1)
    last = now
  }, 1)
  await work()
  clearInterval(timer)
  return most
}

console.log(`${library.kind}, ${process.versions.bun ? 'Bun' : process.version}`)
const get = native.prepare(text)
const all = native.prepare(text)
const lease = await pool.acquire()
for (let i = 1; i <= 50; i++) await lease.query(text, [i])
const lookups = await compare({
  get: (id) => get.get(id),
  all: (id) => all.all(id),
  pool: (id) => pool.query(text, [id]),
  lease: (id) => lease.query(text, [id]),
})
lease.release()
const { get: one = 0, all: many = 0, pool: pooled = 0, lease: leased = 0 } = lookups
print('lookup, main thread, get()', one, 'us')
print('lookup, main thread, all()', many, 'us')
print('lookup, pool.query, beside get()', pooled, 'us', one)
print('lookup, pool.query, beside all()', pooled, 'us', many)
print('lookup, lease.query, beside all()', leased, 'us', many)
const tx = await pool.acquire()
await tx.begin()
const far = await compare({ far: (id) => tx.query(text, [id]) })
await tx.rollback()
tx.release()
print('lookup through a thread (in a transaction)', far.far ?? 0, 'us', many)

await Promise.all([pool.query(heavy), pool.query(heavy)])
const alone = await best(() => timed(() => native.prepare(heavy).all()))
const four = await best(() => timed(() => Promise.all(Array.from({ length: 4 }, () => pool.query(heavy)))))
print('four heavy reads, one after another', 4 * alone, 'ms')
print('four heavy reads, pool of 2', four, 'ms', 4 * alone)
const rest = () => new Promise((done) => setTimeout(done, 500))
const lookUp = async () => {
  for (let i = 0; i < 20_000; i++) await pool.query(text, [(i % 10_000) + 1])
}
print('loop delay, nothing running', await best(() => loopDelay(rest)), 'ms')
print('loop delay, heavy read in the pool', await best(() => loopDelay(() => pool.query(heavy))), 'ms')
print('loop delay, 20 000 lookups in a row', await best(() => loopDelay(lookUp)), 'ms')
await pool.close()
engine.close()
rmSync(folder, { recursive: true })

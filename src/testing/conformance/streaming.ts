import assert from 'node:assert/strict'
import type { Case } from './case.ts'
import { pause, rejection, within } from './trial.ts'

const KILOBYTES = 200_000

export const streaming = [
  {
    name: 'a stream gives all rows in order, whatever the batch',
    async run(t) {
      t.capability('stream')
      const series = t.sql('series')
      const pool = t.pool({ max: 1 })
      for (const [count, batch] of [
        [0, 10],
        [1, 10],
        [10, 10],
        [25, 10],
        [300, 1],
        [1000, 5000],
      ] as const) {
        const seen: number[] = []
        for await (const row of pool.stream(series(count), [], { batch }))
          seen.push(Number(Object.values(row)[0]))
        assert.deepEqual(
          seen,
          Array.from({ length: count }, (_, i) => i + 1),
        )
      }
      assert.equal(pool.stats().created, 1)
    },
  },
  {
    name: 'a stream that is left early gives its connection back, usable',
    async run(t) {
      t.capability('stream')
      const series = t.sql('series')
      const pool = t.pool({ max: 1 })
      for (const leave of ['break', 'throw'] as const) {
        const read = async () => {
          for await (const _ of pool.stream(series(100_000), [], { batch: 10 })) {
            if (leave === 'break') break
            throw new Error('enough')
          }
        }
        if (leave === 'break') await within(read(), 'the stream ends')
        else assert.equal(((await rejection(read())) as Error).message, 'enough')
        const answer = await within(pool.query(t.one), 'the connection is free again')
        assert.equal(answer.rows.length, 1)
      }
      assert.equal(pool.stats().created, 1, 'a stream that is left costs no connection')
    },
  },
  {
    name: 'a stream reads no further ahead than its batch',
    async run(t) {
      t.capability('stream')
      const wide = t.sql('wide')
      let seen = 0
      const before = memory()
      for await (const _ of t.pool({ max: 1 }).stream(wide(KILOBYTES), [], { batch: 20 })) {
        if (++seen < 50) continue
        await pause(300)
        break
      }
      const grown = (memory() - before) / 1024
      assert(grown < KILOBYTES / 4, `${Math.round(grown)} kB were read ahead`)
    },
  },
  {
    name: 'an error in a stream reaches its reader',
    async run(t) {
      t.capability('stream')
      const pool = t.pool({ max: 1 })
      const read = async () => {
        for await (const _ of pool.stream('select nothing from no_such_table_of_rockpool'));
      }
      const error = await rejection(read())
      assert.equal(t.driver.classify?.(error, 'statement') ?? 'statement', 'statement')
      await pool.query(t.one)
      assert.equal(pool.stats().created, 1)
    },
  },
  {
    name: 'a stream ends with the reason of its signal',
    async run(t) {
      t.capability('stream')
      const series = t.sql('series')
      const pool = t.pool({ max: 1 })
      const controller = new AbortController()
      const read = async () => {
        for await (const _ of pool.stream(series(100_000), [], { batch: 10, signal: controller.signal })) {
          controller.abort(new Error('stop'))
        }
      }
      const error = await within(rejection(read()), 'the stream ends')
      assert.equal((error as Error).message, 'stop')
      await within(pool.query(t.one), 'the connection is free again')
    },
  },
  {
    name: 'a stream whose connection dies ends with an error',
    async run(t) {
      t.capability('stream')
      // More than there is room for on the way: what the server has sent already is whole without it.
      const rows = t.sql('wide')(KILOBYTES)
      const pool = t.pool({ max: 1 })
      const read = () =>
        pool.use(async (lease) => {
          const session = await t.session(lease)
          let seen = 0
          for await (const _ of lease.stream(rows, [], { batch: 10 })) {
            if (++seen === 15) await t.server.kill(session)
          }
        })
      await within(rejection(read()), 'the reader is told')
      await pool.query(t.one)
    },
  },
] as const satisfies readonly Case[]

function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

import type { Comparison } from '../../comparison/comparison.ts'
import { onPool, outcome, type Subject } from './subject.ts'

const wrong = [{ connectionLimit: -1 }, { connectionLimit: 2.5 }, { queueLimit: -1 }, { port: 'abc' }]

/** What a pool says about itself in numbers, and makes of those it is given. */
export const numbers: Comparison<Subject>[] = [
  {
    name: '`_allConnections`, `_freeConnections` and `_connectionQueue` have a `length`',
    verdict: 'same',
    run: (subject) =>
      onPool(subject, { connectionLimit: 2 }, async (pool, core) => {
        const lengths = core as unknown as Record<string, { length: number }>
        const seen = () =>
          ['_allConnections', '_freeConnections', '_connectionQueue'].map((name) => lengths[name]?.length)
        const [first, second] = await Promise.all([pool.getConnection(), pool.getConnection()])
        const waiting = pool.getConnection()
        const full = seen()
        second.release()
        first.release()
        ;(await waiting).release()
        return `${full}; ${seen()}`
      }),
  },
  {
    name: '`connectionLimit: Infinity`, as 0, is no limit',
    verdict: 'same',
    run: (subject) =>
      onPool(subject, { connectionLimit: Number.POSITIVE_INFINITY }, async (pool) => {
        const all = await Promise.all(Array.from({ length: 12 }, () => pool.getConnection()))
        for (const connection of all) connection.release()
        return `${all.length}`
      }),
  },
  {
    name: '`execute` of a function',
    verdict: 'same',
    run: (subject) =>
      onPool(subject, {}, async (pool) => {
        const what = await outcome(pool.execute((() => undefined) as never))
        return what.slice(0, 20)
      }),
  },
  {
    name: '`connectionLimit: null`',
    verdict: 'better',
    reason: 'what is missing is the default, and not a pool without a limit',
    run: (subject) =>
      onPool(
        subject,
        { connectionLimit: null },
        async (_, { config }) => `${(config as unknown as { connectionLimit: number }).connectionLimit}`,
      ),
  },
  {
    name: 'limits below 0, a fraction of a connection, a port that is none',
    verdict: 'better',
    reason: 'with a limit of -1, mysql2 never gives a connection: what cannot be meant is refused, by name',
    async run(subject) {
      return wrong.map((options) => taken(subject, options)).join(', ')
    },
  },
]

function taken(subject: Subject, options: object): string {
  try {
    subject.mysql.createPool({ uri: subject.server.url(), ...options }).end()
    return 'taken'
  } catch (error) {
    return `${(error as { option?: string }).option} refused`
  }
}

import type { Comparison } from '../../comparison/comparison.ts'

type Row = Pick<Comparison<never>, 'name' | 'verdict' | 'reason'>

/** What is compared; how, tells `tried.ts`, which runs elsewhere. */
export const behaviours = [
  { name: 'relations, written and read', verdict: 'same' },
  { name: 'raw values', verdict: 'same' },
  { name: 'a date of an entity', verdict: 'same' },
  { name: 'a unique value twice', verdict: 'same' },
  { name: 'affected rows', verdict: 'same' },
  { name: '20 transactions at once on 3 connections', verdict: 'same' },
  { name: 'the body of a transaction throws', verdict: 'same' },
  { name: 'a nested transaction throws', verdict: 'same' },
  { name: 'COMMIT that fails: a deferred constraint', verdict: 'same' },
  { name: 'isolation level, read only', verdict: 'same' },
  { name: 'a stream is left early', verdict: 'same' },
  {
    name: 'the backend dies while a transaction holds it',
    verdict: 'better',
    reason: 'a lent connection always has a listener, and its place is given to the next at once',
  },
  { name: 'then the body of the transaction throws', verdict: 'same' },
  {
    name: 'no connection is free',
    verdict: 'better',
    reason: 'the error has the numbers, and by default nobody waits for ever',
  },
  {
    name: 'a transaction begun by hand is forgotten',
    verdict: 'better',
    reason: 'what is given back is looked at, without a round trip',
  },
  {
    name: "other users of the same pool read dates as pg's users do",
    verdict: 'better',
    reason: "MikroORM's parsers are put on when it borrows, and taken off after",
  },
  {
    name: '`orm.close()`',
    verdict: 'differs',
    reason: 'one pool may serve two; `ownsPool: true` closes it',
  },
  {
    name: "`sessionContext: 'connection'`",
    verdict: 'differs',
    reason:
      "MikroORM does not tell a dialect of it: use 'transaction', or `onReserveConnection` of `rockpoolMikroOrm`",
  },
] as const satisfies readonly Row[]

export type Behaviour = (typeof behaviours)[number]['name']

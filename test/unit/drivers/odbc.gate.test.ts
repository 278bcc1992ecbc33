import { expect, test } from 'vitest'
import { Gate, type Rank } from '../../../src/drivers/odbc/gate.ts'

test('what frees others goes first, then what may hold them up, in the order in which it came', async () => {
  const gate = new Gate()
  const ran: string[] = []
  let connected: () => void = () => undefined
  const connect = gate.connect(new AbortController().signal, () => {
    return new Promise<void>((resolve) => {
      connected = resolve
    })
  })
  await Promise.resolve()
  const run = (name: string, rank: Rank) => gate.run(rank, async () => void ran.push(name))
  const all = [
    run('select', 'plain'),
    run('update', 'holding'),
    run('commit', 'freeing'),
    run('insert', 'plain'),
  ]
  connected()
  await Promise.all([connect, ...all])
  expect(ran).toEqual(['commit', 'update', 'select', 'insert'])
})

/** Statements that begin and never end, as those that wait for a lock. */
function stuckIn(gate: Gate): (rank: Rank, count: number) => number {
  let begun = 0
  return (rank, count) => {
    begun = 0
    for (let n = 0; n < count; n++) gate.run(rank, () => new Promise(() => begun++))
    return begun
  }
}

test('where connections outnumber threads, statements that wait leave one to transactions that have begun, and one to their ends', () => {
  const gate = new Gate()
  for (let n = 0; n < 20; n++) gate.opened()
  const run = stuckIn(gate)
  expect(run('plain', 20)).toBe(2)
  expect(run('holding', 20)).toBe(1)
  expect(run('freeing', 20)).toBe(20)
})

test('where each connection can have a thread, one is left to what transactions do', () => {
  const gate = new Gate()
  for (let n = 0; n < 4; n++) gate.opened()
  const run = stuckIn(gate)
  expect(run('plain', 4)).toBe(3)
  expect(run('holding', 1)).toBe(1)
})

import { expect, test } from 'vitest'
import { Gate } from '../../../src/drivers/odbc/gate.ts'

test('what is urgent goes first, in the order in which it came', async () => {
  const gate = new Gate()
  const ran: string[] = []
  let connected: () => void = () => undefined
  const connect = gate.connect(new AbortController().signal, () => {
    return new Promise<void>((resolve) => {
      connected = resolve
    })
  })
  await Promise.resolve()
  const run = (name: string, isUrgent: boolean) => gate.run(isUrgent, async () => void ran.push(name))
  const all = [run('select', false), run('update', true), run('commit', true), run('insert', false)]
  connected()
  await Promise.all([connect, ...all])
  expect(ran).toEqual(['update', 'commit', 'select', 'insert'])
})

import { expect, onTestFinished, test } from 'vitest'
import { findLibrary } from '../../../src/drivers/sqlite/library.ts'
import { Thread } from '../../../src/drivers/sqlite/thread.ts'

const ENDLESS = 'with recursive n(i) as (select 1 union all select i + 1 from n) select i from n'

async function opened(): Promise<Thread> {
  const { kind, place } = findLibrary(undefined)
  const opening = { file: ':memory:', readOnly: false, setup: [], bigints: false }
  const thread = new Thread({ kind, place, opening })
  onTestFinished(() => thread.close())
  await thread.ask({ op: 'open' })
  return thread
}

const endless = { op: 'run', text: ENDLESS, params: [], writable: false, byRows: true, batch: 10 } as const
const more = { op: 'more', batch: 10 } as const

test('what is given up while some of its rows are on their way ends before the next ones', async () => {
  const thread = await opened()
  expect(await thread.ask(endless)).toMatchObject({ done: false })
  expect(await thread.ask(more)).toMatchObject({ done: false })
  thread.interrupt()
  await expect(thread.ask(more)).rejects.toMatchObject({ code: 'SQLITE_INTERRUPT' })
})

test('what begins later is not touched', async () => {
  const thread = await opened()
  await thread.ask(endless)
  thread.interrupt()
  await thread.ask({ op: 'end' })
  expect(await thread.ask(endless)).toMatchObject({ done: false })
  expect(await thread.ask(more)).toMatchObject({ done: false })
})

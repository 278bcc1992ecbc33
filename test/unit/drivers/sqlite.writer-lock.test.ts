import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Patience } from '../../../src/drivers/sqlite/patience.ts'
import { WriterLock } from '../../../src/drivers/sqlite/writer-lock.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const busy = () => Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' })

test('who came first writes first, and nobody overtakes', async () => {
  const lock = new WriterLock()
  const order: string[] = []
  expect(lock.tryTake()).toBe(true)
  const waiting = ['a', 'b', 'c'].map((name) => lock.wait(1000).turn.then(() => order.push(name)))
  for (let i = 0; i < 3; i++) {
    lock.give()
    expect(lock.tryTake()).toBe(false)
    await waiting[i]
  }
  lock.give()
  expect([order, lock.isFree]).toEqual([['a', 'b', 'c'], true])
})

test('who has left never takes the lock', async () => {
  const lock = new WriterLock()
  lock.tryTake()
  const [first, second] = [lock.wait(1000), lock.wait(1000)]
  first.leave(new Error('mine'))
  await expect(first.turn).rejects.toThrow('mine')
  lock.give()
  await second.turn
  second.leave(new Error('too late'))
  expect(lock.isFree).toBe(false)
})

test('waiting ends when the time is over, and takes no timer along', async () => {
  const lock = new WriterLock()
  lock.tryTake()
  const late = expect(lock.wait(200).turn).rejects.toMatchObject({ code: 'SQLITE_BUSY' })
  const served = lock.wait(500).turn
  await vi.advanceTimersByTimeAsync(200)
  await late
  lock.give()
  await served
  expect(vi.getTimerCount()).toBe(0)
})

test('a lock of another process is asked for again until it is free', async () => {
  const patience = new Patience(new WriterLock(), 1000)
  let tries = 0
  const work = patience.whileBusy(false, async () => {
    if (++tries < 5) throw busy()
    return 'done'
  })
  await vi.advanceTimersByTimeAsync(100)
  expect([await work, tries]).toEqual(['done', 5])
})

test('the time limit ends the asking with the error of SQLite', async () => {
  const patience = new Patience(new WriterLock(), 100)
  const work = expect(
    patience.whileBusy(false, async () => {
      throw busy()
    }),
  ).rejects.toMatchObject({ message: 'database is locked' })
  await vi.advanceTimersByTimeAsync(200)
  await work
})

test('within a transaction, and after other errors, nothing is tried again', async () => {
  const patience = new Patience(new WriterLock(), 1000)
  let tries = 0
  const failing = (error: Error) => async () => {
    tries++
    throw error
  }
  await expect(patience.whileBusy(true, failing(busy()))).rejects.toThrow('locked')
  await expect(patience.whileBusy(false, failing(new Error('other')))).rejects.toThrow('other')
  expect(tries).toBe(2)
})

test('a stop ends waiting at once, and means nothing to the next statement', async () => {
  const lock = new WriterLock()
  lock.tryTake()
  const patience = new Patience(lock, 60_000)
  const waiting = expect(patience.forLock()).rejects.toMatchObject({ code: 'SQLITE_INTERRUPT' })
  patience.stop()
  await waiting
  patience.start()
  const asking = expect(
    patience.whileBusy(false, async () => {
      throw busy()
    }),
  ).rejects.toMatchObject({ code: 'SQLITE_INTERRUPT' })
  await vi.advanceTimersByTimeAsync(20)
  patience.stop()
  await asking
  lock.give()
  patience.start()
  await patience.forLock()
})

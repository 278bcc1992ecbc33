import { expect, test } from 'vitest'
import { StandingQueue } from '../../../src/compat/standing-queue.ts'
import { createResourcePool } from '../../../src/pool/create-resource-pool.ts'
import { VirtualClock } from '../../../src/testing/virtual-clock.ts'

test('who was served while others were refused is not refused any more', () => {
  const queue = new StandingQueue()
  const refused: string[] = []
  const second = { handleEvent: () => void refused.push('second') }
  const first = {
    handleEvent: () => {
      refused.push('first')
      queue.removeEventListener('abort', second)
    },
  }
  queue.addEventListener('abort', first)
  queue.addEventListener('abort', second)
  queue.refuseAll(new Error('the server is gone'))
  expect(refused).toEqual(['first'])
})

test('whoever gets a connection that dies on its way to him is next again', async () => {
  const clock = new VirtualClock()
  const dying: ((error: unknown) => void)[] = []
  const pool = createResourcePool(
    {
      name: 'things',
      connect: async () => ({}),
      close: () => undefined,
      onLost: (_, lost) => void dying.push(lost),
    },
    { max: 1, clock },
  )
  pool.on('error', () => undefined)
  const holder = await clock.until(pool.acquire())
  const dead = holder.connection
  const queue = new StandingQueue()
  const told: string[] = []
  const wait = (name: string) =>
    queue.acquire(pool, {
      use: (lease) => {
        told.push(`${name} has ${lease.connection === dead ? 'a dead one' : 'one that lives'}`)
        lease.release()
      },
      fail: (error) => told.push(`${name} has ${error}`),
    })
  wait('first')
  wait('second')
  holder.release()
  dying[0]?.(new Error('the socket broke'))
  await clock.advance(1_000)
  expect(told).toEqual(['first has one that lives', 'second has one that lives'])
  expect(dying).toHaveLength(2)
})

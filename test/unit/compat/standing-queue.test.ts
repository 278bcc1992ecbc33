import { expect, test } from 'vitest'
import { StandingQueue } from '../../../src/compat/standing-queue.ts'

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

import { describe, expect, test } from 'vitest'
import { Emitter } from '../../../src/pool/emitter.ts'
import { Journal } from '../../../src/pool/journal.ts'

describe('a journal that somebody reads along', () => {
  test('prints one line for each decision and each event, with what is known of it', () => {
    const lines: string[] = []
    const journal = new Journal('p', (line) => void lines.push(line))
    journal.note('suspended')
    journal.note('connecting', 7)
    journal.tell('connect', { id: 7, ms: 1.25 })
    journal.tell('acquire', { id: 7 })
    journal.tell('close', { id: 7, reason: 'idle', error: new Error('gone'), ms: 30 })
    journal.tell('error', { id: 0, error: 'a text' })
    expect(lines).toEqual([
      'p: suspended',
      'p: connecting #7',
      'p: connect #7 after 1.3 ms',
      'p: acquire #7',
      'p: close #7 (idle) after 30.0 ms: gone',
      'p: error: a text',
    ])
    expect([journal.heard('reset'), journal.hearsAcquire, journal.hearsRelease]).toEqual([true, true, true])
  })
})

describe('a journal that nobody reads', () => {
  test('hears what its listeners hear, and builds no event for nobody', () => {
    const journal = new Journal('p')
    expect([journal.heard('reset'), journal.hearsAcquire, journal.hearsRelease]).toEqual([
      false,
      false,
      false,
    ])
    journal.note('nothing comes of this', 1)
    journal.tell('reset', { id: 1 })
    const heard: unknown[] = []
    const listener = (event: unknown) => void heard.push(event)
    journal.emitter.add('reset', listener, 'once')
    expect([journal.heard('reset'), journal.hearsAcquire]).toEqual([true, false])
    journal.tell('reset', { id: 1, ms: 2 })
    journal.tell('reset', { id: 2, ms: 2 })
    expect(heard).toEqual([{ pool: 'p', id: 1, ms: 2 }])
    expect(journal.heard('reset')).toBe(false)
  })
})

describe('listeners', () => {
  test('are heard by their event alone, as long as there are any', () => {
    const emitter = new Emitter()
    for (const event of [
      'connect',
      'acquire',
      'release',
      'reset',
      'close',
      'detach',
      'leak',
      'error',
    ] as const)
      expect(emitter.heard(event), event).toBe(false)
    const [one, other] = [() => {}, () => {}]
    emitter.add('acquire', one, 'always')
    emitter.add('release', other, 'always')
    expect([emitter.hearsAcquire, emitter.hearsRelease, emitter.heard('close')]).toEqual([true, true, false])
    emitter.remove('acquire', other)
    expect(emitter.hearsAcquire).toBe(true)
    emitter.remove('acquire', one)
    emitter.remove('acquire', one)
    emitter.remove('close', one)
    expect([emitter.hearsAcquire, emitter.hearsRelease, emitter.heard('close')]).toEqual([false, true, false])
  })

  test('of one event come in the order in which they were added, and leave the last first', () => {
    const emitter = new Emitter()
    const told: string[] = []
    const [a, b] = [() => void told.push('a'), () => void told.push('b')]
    for (const listener of [a, b, a]) emitter.add('connect', listener, 'always')
    emitter.emit('connect', { pool: 'p', id: 1 })
    emitter.remove('connect', a)
    emitter.emit('connect', { pool: 'p', id: 1 })
    emitter.emit('close', { pool: 'p', id: 1 })
    expect(told.join('')).toBe('abaab')
  })
})

import { describe, expect, test } from 'vitest'
import { TextBook, TextEntry } from '../../../src/sql/text-book.ts'
import { readText } from '../../../src/sql/text-reader.ts'

const entryOf = (text: string) => new TextEntry(readText(text))

describe('what is known of a text', () => {
  test('is nothing before its first run: it is a candidate if it only reads, and shares with nobody', () => {
    const read = entryOf('select 1')
    expect([read.isCandidate, read.mayShare]).toEqual([true, false])
    const write = entryOf('delete from t')
    expect([write.isCandidate, write.mayShare]).toEqual([false, false])
    write.learn(1)
    expect(write.mayShare).toBe(false)
  })

  test('is whether it takes less than 5 ms: then it may share', () => {
    const [fast, slow] = [entryOf('select 1'), entryOf('select 2')]
    fast.learn(4.9)
    slow.learn(5)
    expect([fast.mayShare, slow.mayShare]).toEqual([true, false])
  })

  test('follows the latest runs by a fifth', () => {
    const entry = entryOf('select 1')
    entry.learn(10)
    for (const expected of [false, false, false, true]) {
      entry.learn(0)
      expect(entry.mayShare).toBe(expected)
    }
    entry.learn(9)
    expect(entry.mayShare).toBe(false)
  })

  test('is not changed by one run that took long, for which the machine may be to blame, but by the next ones', () => {
    const entry = entryOf('select 1')
    entry.learn(0.2)
    entry.learn(1_000)
    expect(entry.mayShare).toBe(true)
    for (let n = 0; n < 3; n++) entry.learn(1_000)
    expect(entry.mayShare).toBe(false)
    for (let n = 0; n < 4; n++) entry.learn(0.2)
    expect(entry.mayShare).toBe(true)
  })

  test('goes together, until something went wrong together: then a thousand times apart', () => {
    const entry = entryOf('select 1')
    expect([entry.goesTogether(), entry.goesTogether()]).toEqual([true, true])
    entry.keepApart()
    for (let n = 0; n < 1_000; n++) expect(entry.goesTogether()).toBe(false)
    expect(entry.goesTogether()).toBe(true)
  })

  test('is never anything good again once it is barred', () => {
    const entry = entryOf('select 1')
    entry.learn(1)
    entry.bar()
    expect([entry.mayShare, entry.isCandidate]).toEqual([false, false])
  })
})

describe('the book of texts', () => {
  test('knows a text again', () => {
    const book = new TextBook()
    const entry = book.look('select 1')
    expect(book.look('select 1')).toBe(entry)
    expect(book.look('select 2')).not.toBe(entry)
    expect(entry.reading.word).toBe('SELECT')
  })

  test('keeps a thousand, and forgets the first for one more', () => {
    const book = new TextBook()
    const entries = Array.from({ length: 1_000 }, (_, n) => book.look(`select ${n}`))
    expect(book.look('select 0')).toBe(entries[0])
    const more = book.look('one more')
    expect(book.look('select 1')).toBe(entries[1])
    expect(book.look('one more')).toBe(more)
    expect(book.look('select 0')).not.toBe(entries[0])
  })
})

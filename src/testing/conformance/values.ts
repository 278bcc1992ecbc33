import assert from 'node:assert/strict'
import type { Case } from './case.ts'
import { value } from './trial.ts'

const TEXTS = [
  'plain',
  ' blanks around ',
  'Grüße, Žluťoučký, Ελληνικά',
  '日本語 한국어',
  'עברית العربية',
  '🦆🪨 👩‍👩‍👧 𝒳',
  'e\u0301 is not \u00e9',
  'line\nbreak\r\ttab \u2028',
  `quotes ' " \` ''`,
  'back\\slash \\n \\\\',
  'looks like $1 ? :1 @p1 %s {}',
  '100% _ [a-z]',
]
const INJECTIONS = [
  `'; drop table %; --`,
  `" or 1=1 --`,
  `' or '1'='1`,
  `\\'; drop table %; --`,
  `1); drop table %; --`,
]

export const values = [
  {
    name: 'texts in all scripts come back as they went',
    async run(t) {
      const echo = t.text(t.sql('echo').text)
      const pool = t.pool()
      for (const text of TEXTS) assert.equal(value(await pool.query(echo, [text])), text)
    },
  },
  {
    name: 'an empty text is not null',
    async run(t) {
      const echo = t.text(t.sql('echo').text)
      assert.equal(value(await t.pool().query(echo, [''])), '')
    },
  },
  {
    name: 'a text of a megabyte comes back whole',
    async run(t) {
      const echo = t.text(t.sql('echo').text)
      const long = 'rockpool🦆'.repeat(100_000)
      assert(value(await t.pool().query(echo, [long])) === long)
    },
  },
  {
    name: 'null is null, as a parameter and in a table',
    async run(t) {
      const echo = t.text(t.sql('echo').text)
      const pool = t.pool()
      const table = await t.table(pool)
      assert.equal(value(await pool.query(echo, [null])), null)
      await table.insert(pool, 1, null)
      assert.equal(await table.note(pool, 1), null)
    },
  },
  {
    name: 'every byte comes back as it went',
    async run(t) {
      const echo = t.text(t.sql('echo').binary)
      const pool = t.pool()
      const all = Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256))
      for (const bytes of [all, Buffer.alloc(0)]) {
        const back = value(await pool.query(echo, [bytes]))
        assert(back instanceof Uint8Array, 'binary values are a Uint8Array')
        assert(Buffer.from(back).equals(bytes))
      }
    },
  },
  {
    name: 'numbers come back as they went',
    async run(t) {
      const { integer, double } = t.sql('echo')
      const pool = t.pool()
      for (const number of [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]) {
        assert.equal(Number(value(await pool.query(t.text(integer), [number]))), number)
      }
      for (const number of [0.1, -1.5, 1 / 3, 1e300, 5e-300, Number.MAX_SAFE_INTEGER]) {
        assert.equal(Number(value(await pool.query(t.text(double), [number]))), number)
      }
    },
  },
  {
    name: 'whole numbers of 64 bits arrive unchanged',
    async run(t) {
      const echo = t.text(t.sql('echo').bigAsText)
      const pool = t.pool()
      for (const big of [2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]) {
        assert.equal(value(await pool.query(echo, [big])), String(big))
      }
    },
  },
  {
    name: 'a whole number beyond 2^53 is read as documented',
    async run(t) {
      const { read, gives } = t.sql('big')
      assert.deepEqual(value(await t.pool().query(read)), gives)
    },
  },
  {
    name: 'a parameter is never part of the text',
    async run(t) {
      const pool = t.pool()
      const table = await t.table(pool)
      const texts = INJECTIONS.map((text) => text.replace('%', table.name))
      for (const [index, text] of texts.entries()) await table.insert(pool, index, text)
      for (const [index, text] of texts.entries()) assert.equal(await table.note(pool, index), text)
      const find = t.text(`select id from ${table.name} where note = ?`)
      assert.equal((await pool.query(find, [`x' or '1'='1`])).rows.length, 0)
      assert.equal(await table.count(pool), texts.length)
    },
  },
] as const satisfies readonly Case[]

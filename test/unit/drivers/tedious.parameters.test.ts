import { TYPES } from 'tedious'
import { expect, test } from 'vitest'
import { signatureOf, typed } from '../../../src/drivers/tedious/parameters.ts'

const types = TYPES as never
const given = (value: unknown) => {
  const { type, ...rest } = typed(value, types)
  return { type: type.name, ...rest }
}

test.each([
  [0, { type: 'Int', value: 0 }],
  [-(2 ** 31), { type: 'Int' }],
  [2 ** 31, { type: 'BigInt' }],
  [Number.MAX_SAFE_INTEGER, { type: 'BigInt' }],
  [2 ** 60, { type: 'Float' }],
  [1.5, { type: 'Float', value: 1.5 }],
  [2n ** 63n - 1n, { type: 'BigInt' }],
  [true, { type: 'Bit' }],
  ['', { type: 'NVarChar', value: '', length: 4000 }],
  ['x'.repeat(4001), { type: 'NVarChar', length: Number.POSITIVE_INFINITY }],
  [null, { type: 'NVarChar', value: null }],
  [undefined, { type: 'NVarChar', value: null }],
  [new Date(0), { type: 'DateTime2' }],
  [Buffer.from('a'), { type: 'VarBinary', length: 8000 }],
  [new Uint8Array([1, 2]), { type: 'VarBinary', value: Buffer.from([1, 2]) }],
  [Buffer.alloc(8001), { length: Number.POSITIVE_INFINITY }],
  [{ a: 1 }, { type: 'NVarChar', value: '{"a":1}' }],
  [[1, 'b'], { type: 'NVarChar', value: '[1,"b"]' }],
  [new URL('http://h/'), { type: 'NVarChar', value: 'http://h/' }],
])('%s goes as %o', (value, expected) => {
  expect(given(value)).toMatchObject(expected)
})

test('a program can say the type itself', () => {
  const price = { type: TYPES.Decimal, value: '1.50', precision: 10, scale: 2 }
  expect(typed(price, types)).toBe(price)
})

test('what came as JSON cannot say a type', () => {
  const sent = JSON.parse('{"type": {"id": 231, "name": "NVarChar"}, "value": "x"}')
  expect(given(sent)).toMatchObject({ type: 'NVarChar', value: JSON.stringify(sent) })
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, 2n ** 63n, new Date(Number.NaN), () => 1, Symbol('s')])(
  'a value that the server has no type for is refused: %s',
  (value) => {
    expect(() => typed(value, types)).toThrow(/cannot be a parameter/)
  },
)

test('texts of different lengths share a prepared statement, numbers of different types do not', () => {
  const sign = (...values: unknown[]) => signatureOf(values.map((value) => typed(value, types)))
  expect(sign('a', 1)).toBe(sign('abc', 2))
  expect(sign(1)).not.toBe(sign(1.5))
  expect(sign(null)).not.toBe(sign(1))
})

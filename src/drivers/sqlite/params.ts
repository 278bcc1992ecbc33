import { show } from '../../contract/check.ts'

/**
 * The values as all libraries take them. Truth values become 1 and 0, which is what SQLite has for them; anything that
 * SQLite has no type for is refused here, because libsql ends the process over it and others bind null.
 */
export function bindable(params: readonly unknown[]): readonly unknown[] {
  for (let i = 0; i < params.length; i++) {
    const value = params[i]
    if (typeof value === 'string' || typeof value === 'number' || value === null) continue
    return params.map(bind)
  }
  return params
}

const LEAST_BIGINT = -(2n ** 63n)
const MOST_BIGINT = 2n ** 63n - 1n

function bind(value: unknown, index: number): unknown {
  if (value === null || value === undefined) return null
  if (typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value === 'bigint') {
    if (value >= LEAST_BIGINT && value <= MOST_BIGINT) return value
    throw new RangeError(`parameter ${index + 1} is ${value}: SQLite has integers of 64 bits`)
  }
  const bytes = bytesOf(value)
  if (bytes !== undefined) return bytes
  throw new TypeError(
    `parameter ${index + 1} is ${show(value)}: SQLite has numbers, texts, binary values and null (pass a date as text or number)`,
  )
}

/** Never a view of something larger: a message to another thread would carry all of it. */
function bytesOf(value: unknown): Uint8Array | undefined {
  if (value instanceof ArrayBuffer) return bytesOf(new Uint8Array(value))
  if (!ArrayBuffer.isView(value)) return undefined
  const { buffer, byteOffset, byteLength } = value
  // Without a byte behind it, Node 22 binds null.
  if (byteLength === 0) return new Uint8Array(1).subarray(0, 0)
  const whole = byteLength === buffer.byteLength && buffer instanceof ArrayBuffer
  return whole ? new Uint8Array(buffer) : new Uint8Array(buffer, byteOffset, byteLength).slice()
}

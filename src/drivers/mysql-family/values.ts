const DATES = /^\[object (Date|Temporal\..+)\]$/

/**
 * One parameter is one value. Both packages would write the members of an array or an object into the text, where
 * `{ password: 1 }` from a request's body turns `where password = ?` into a comparison of the column with itself.
 * Here arrays and objects are JSON texts; what can say itself as a text does so.
 */
export function toParameter(value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  if (DATES.test(Object.prototype.toString.call(value))) return value
  // The package's own `raw()`: the program says that it means a piece of SQL. No JSON brings a function along.
  if (typeof (value as { toSqlString?: unknown }).toSqlString === 'function') return value
  return saysItself(value) ? String(value) : JSON.stringify(value)
}

function saysItself(value: object): boolean {
  const { toString: say } = value as { toString?: unknown }
  return typeof say === 'function' && say !== Object.prototype.toString && !Array.isArray(value)
}

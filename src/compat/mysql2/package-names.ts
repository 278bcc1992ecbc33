import type * as mysql from 'mysql2'
import { lateFunction, lateObject } from './late.ts'
import { packageOf } from './package.ts'

// What mysql2 and mysql2/promise both export and what is no pool: it is the user's own mysql2's.
const escapeValue: typeof mysql.escape = lateFunction(() => packageOf().escape)

export { escapeValue as escape }
export const escapeId: typeof mysql.escapeId = lateFunction(() => packageOf().escapeId)
export const format: typeof mysql.format = lateFunction(() => packageOf().format)
export const raw: typeof mysql.raw = lateFunction(() => packageOf().raw)
export const setMaxParserCache: typeof mysql.setMaxParserCache = lateFunction(
  () => packageOf().setMaxParserCache,
)
export const clearParserCache: typeof mysql.clearParserCache = lateFunction(
  () => packageOf().clearParserCache,
)
export const Types: typeof mysql.Types = lateObject(() => packageOf().Types)
export const TypedParameter: typeof mysql.TypedParameter = lateObject(() => packageOf().TypedParameter)
export const Charsets: typeof mysql.Charsets = lateObject(() => packageOf().Charsets)
export const CharsetToEncoding: typeof mysql.CharsetToEncoding = lateObject(
  () => packageOf().CharsetToEncoding,
)

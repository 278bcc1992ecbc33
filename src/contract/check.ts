import { InvalidOptionError } from './errors.ts'

/** Says what is wrong with a value, as the end of a sentence that begins "must be"; undefined when nothing is. */
export type Check = (value: unknown) => string | undefined

/** Options by these names hold what no message shows. */
const SECRET = /pass|pwd|secret|token|credential|key/i

/** The value as a reader of the error would type it; never long, and without a password. */
export function show(value: unknown): string {
  if (typeof value === 'string') {
    const text = withoutPasswords(value)
    return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
  }
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return String(value)
}

/** Of a URL or a connection string that stands where it does not belong. */
function withoutPasswords(text: string): string {
  return text.replace(/\/\/[^@]*@/g, '//***@').replace(/((?:password|pwd)\s*=\s*)[^;&\s]+/gi, '$1***')
}

export function assertOption(option: string, value: unknown, check: Check): void {
  const wanted = check(value)
  if (wanted !== undefined)
    throw new InvalidOptionError(option, `option "${option}" is ${show(value)}: ${wanted}`)
}

/** A count of something: a whole number from `least`, and Infinity where `unlimited`, with what it means there. */
export function count(
  least: number,
  { unlimited, infinity = 'no limit' }: { unlimited: boolean; infinity?: string },
): Check {
  const wanted = `it must be a whole number of at least ${least}${unlimited ? ` (Infinity = ${infinity})` : ''}`
  return (value) => {
    if (unlimited && value === Number.POSITIVE_INFINITY) return undefined
    return Number.isSafeInteger(value) && (value as number) >= least ? undefined : wanted
  }
}

/** Milliseconds; `zero` says what 0 means, and without it 0 is refused. */
export function milliseconds({ zero }: { zero?: string } = {}): Check {
  const wanted =
    zero === undefined
      ? 'it must be a number of milliseconds above 0 (Infinity = never)'
      : `it must be a number of milliseconds from 0 (${zero}) to Infinity`
  return (value) => {
    if (typeof value !== 'number' || Number.isNaN(value)) return wanted
    return value > 0 || (value === 0 && zero !== undefined) ? undefined : wanted
  }
}

export function between(least: number, most: number): Check {
  return (value) =>
    typeof value === 'number' && value >= least && value <= most
      ? undefined
      : `it must be a number from ${least} to ${most}`
}

export function oneOf(...allowed: readonly string[]): Check {
  const wanted = `it must be ${allowed.map((value) => `"${value}"`).join(' or ')}`
  return (value) => (typeof value === 'string' && allowed.includes(value) ? undefined : wanted)
}

export const aBoolean: Check = (value) =>
  typeof value === 'boolean' ? undefined : 'it must be true or false'

export const aFunction: Check = (value) => (typeof value === 'function' ? undefined : 'it must be a function')

export const aName: Check = (value) =>
  typeof value === 'string' && value.trim() !== '' ? undefined : 'it must be a text that is not empty'

/** An object with these methods. */
export function shapedLike(...methods: readonly string[]): Check {
  return (value) =>
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')
      ? undefined
      : `it must be an object with ${methods.map((method) => `${method}()`).join(', ')}`
}

/** Options come in an object, and a list is none. */
export function assertObject(given: unknown, owner: string): void {
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return
  throw new InvalidOptionError('options', `${owner} takes its options as an object, not ${show(given)}`)
}

/** Throws for a key that `known` does not hold, with the nearest one that it does. */
export function assertKnown(given: object, known: readonly string[], owner: string): void {
  assertObject(given, owner)
  for (const key of Object.keys(given)) {
    if (known.includes(key)) continue
    const near = nearest(key, known)
    const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean "${near}"?`
    const value = (given as Record<string, unknown>)[key]
    throw new InvalidOptionError(
      key,
      `${owner} has no option "${key}" (given ${SECRET.test(key) ? '***' : show(value)}): ${hint}`,
    )
  }
}

/** The known name that needs the fewest changes, if it is alike at all. */
function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let least = Math.ceil(Math.max(name.length, 4) / 2)
  for (const candidate of known) {
    const changes = distance(name.toLowerCase(), candidate.toLowerCase())
    if (changes < least) {
      best = candidate
      least = changes
    }
  }
  return best
}

/** Letters to insert, delete or replace to turn one word into the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, replaced))
    }
    row = next
  }
  return row[b.length] as number
}

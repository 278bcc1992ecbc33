import { sqlErrors } from './error.ts'

export interface Lexeme {
  readonly kind: 'word' | 'quoted' | 'variable' | 'text' | 'number' | 'bytes' | 'sign' | 'end'
  /** Words in lower case; texts without their quotes. */
  readonly value: string
  /** As it was written. */
  readonly source: string
}

const PATTERNS: readonly [Lexeme['kind'] | 'blank', RegExp][] = [
  ['blank', /(?:\s+|--[^\n]*|\/\*[\s\S]*?\*\/)+/y],
  ['text', /[nN]?'((?:[^']|'')*)'/y],
  ['quoted', /\[((?:[^\]]|\]\])*)\]|"((?:[^"]|"")*)"/y],
  ['bytes', /0x([0-9a-fA-F]*)/y],
  ['number', /\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?/y],
  ['variable', /@@?[\w$#@]+/y],
  ['word', /[\p{L}_#][\p{L}\p{N}_#$@]*/uy],
  ['sign', /<>|<=|>=|!=|\+=|-=|[-+*/%(),.;=<>&|~:]/y],
]

/** A text of T-SQL in pieces. */
export function lexemesOf(text: string): Lexeme[] {
  const lexemes: Lexeme[] = []
  for (let at = 0; at < text.length; ) {
    const { kind, match } = next(text, at)
    at += match[0].length
    if (kind !== 'blank') lexemes.push({ kind, value: contentOf(kind, match), source: match[0] })
  }
  lexemes.push({ kind: 'end', value: '', source: '' })
  return lexemes
}

function next(text: string, at: number): { kind: Lexeme['kind'] | 'blank'; match: RegExpExecArray } {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) return { kind, match }
  }
  throw sqlErrors.syntax(text.slice(at, at + 1))
}

function contentOf(kind: Lexeme['kind'], match: RegExpExecArray): string {
  if (kind === 'text') return (match[1] ?? '').replaceAll("''", "'")
  if (kind === 'quoted') return (match[1]?.replaceAll(']]', ']') ?? match[2]?.replaceAll('""', '"')) as string
  if (kind === 'bytes') return match[1] ?? ''
  return kind === 'word' || kind === 'variable' ? match[0].toLowerCase() : match[0]
}

import { styleText } from 'node:util'

type Paint = (text: string) => string

/** How things look on this output. */
export interface Look {
  readonly bold: Paint
  readonly dim: Paint
  readonly good: Paint
  readonly bad: Paint
  readonly busy: Paint
  readonly symbols: Symbols
}

interface Symbols {
  readonly done: string
  readonly failed: string
  readonly bar: readonly [full: string, empty: string]
  readonly cells: { readonly leased: string; readonly idle: string; readonly other: string }
  /** From low to high. */
  readonly levels: string
  readonly border: 'lines' | 'ascii'
}

const UNICODE: Symbols = {
  done: '✔',
  failed: '✖',
  bar: ['█', '░'],
  cells: { leased: '■', idle: '□', other: '▫' },
  levels: ' ▁▂▃▄▅▆▇█',
  border: 'lines',
}

const ASCII: Symbols = {
  done: '+',
  failed: 'x',
  bar: ['#', '.'],
  cells: { leased: '#', idle: '-', other: ':' },
  levels: ' .:-=+*#@',
  border: 'ascii',
}

type Env = Readonly<Record<string, string | undefined>>

export function lookFor(output: { readonly isTTY?: boolean }, env: Env): Look {
  const paint = paintFor(output, env)
  return {
    bold: paint('bold'),
    dim: paint('dim'),
    good: paint('green'),
    bad: paint('red'),
    busy: paint('cyan'),
    symbols: speaksUnicode(env) ? UNICODE : ASCII,
  }
}

type Format = Parameters<typeof styleText>[0]

function paintFor({ isTTY }: { readonly isTTY?: boolean }, env: Env): (format: Format) => Paint {
  const wanted = (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb'
  return (format) => (isTTY === true && wanted ? (text) => styleText(format, text) : (text) => text)
}

/** By the locale, as terminals and multiplexers decide it themselves. */
function speaksUnicode(env: Env): boolean {
  if (process.platform === 'win32') return env.WT_SESSION !== undefined
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || ''
  return /utf-?8/i.test(locale) && env.TERM !== 'linux'
}

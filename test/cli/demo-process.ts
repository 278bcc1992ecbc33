import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, onTestFinished } from 'vitest'
import { eventually } from '../support/postgres.ts'

/** The program as one file of plain JavaScript: it starts in a fraction of the time. */
export async function buildProgram(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-cli-build-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'main.mjs')
  await build({
    entryPoints: ['src/cli/main.ts'],
    outfile: file,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
  })
  return file
}

/** Where a run may leave things: a folder of its own for temporary files, which also marks its processes. */
export class Place {
  readonly folder: string

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'rockpool-cli-'))
    // The server's user must get there.
    chmodSync(this.folder, 0o755)
    onTestFinished(() => rmSync(this.folder, { recursive: true, force: true }))
  }

  /** Files and processes that are there now. */
  get traces(): string[] {
    return [...readdirSync(this.folder), ...commandLines().filter((line) => line.includes(this.folder))]
  }

  /** Fails unless everything is gone soon: a shell that has nothing left to clean up may take its time. */
  async isClean(): Promise<void> {
    await eventually(() => {
      if (this.traces.length > 0) throw new Error(`left behind: ${this.traces.join(' | ')}`)
    })
  }
}

function commandLines(): string[] {
  if (!existsSync('/proc/self/cmdline')) {
    return spawnSync('ps', ['-A', '-o', 'command='], { encoding: 'utf8' }).stdout.split('\n')
  }
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return '' // it has ended in the meantime
      }
    })
}

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** The program in a process, and a process group, of its own. */
export class Program {
  out = ''
  err = ''
  readonly child: ChildProcess
  readonly ended: Promise<Ending>

  constructor(file: string, args: readonly string[], place = new Place()) {
    this.child = spawn(process.execPath, [file, ...args], {
      detached: true,
      env: { ...process.env, TMPDIR: place.folder, LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child.stdout?.on('data', (text) => {
      this.out += text
    })
    this.child.stderr?.on('data', (text) => {
      this.err += text
    })
    this.ended = new Promise((resolve) => {
      this.child.once('close', (code, signal) => resolve({ code, signal, out: this.out, err: this.err }))
    })
    onTestFinished(() => {
      this.child.kill('SIGKILL')
    })
  }

  /** Resolves when this has been printed. */
  async printed(text: string): Promise<void> {
    await eventually(() => {
      if (!this.out.includes(text)) throw new Error(`not printed: ${text}\n${this.out}\n${this.err}`)
    })
  }

  /** What Ctrl-C does: the signal goes to everything that belongs to the command. */
  interruptGroup(): void {
    process.kill(-(this.child.pid as number), 'SIGINT')
  }
}

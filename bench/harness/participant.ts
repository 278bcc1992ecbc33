import { type ChildProcess, fork, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Reading, Setting } from './scenario.ts'

/** A subject in a process of its own: no subject's garbage, compiled code or timers are another one's. */
export interface Participant {
  readonly name: string
  run(): Promise<Reading>
  end(): void
}

const LIMIT_MS = 120_000

type Answer = { reading: Reading } | { error: string }

/** Anything that answers the word `run` with one JSON object. */
class ProcessParticipant implements Participant {
  readonly name: string
  readonly #child: ChildProcess
  readonly #ask: () => void
  #settle: ((answer: Answer) => void) | undefined

  constructor(name: string, child: ChildProcess, ask: () => void) {
    this.name = name
    this.#child = child
    this.#ask = ask
    child.once('error', (error) => this.hear({ error: error.message }))
    child.once('exit', (code) => this.hear({ error: `ended with exit code ${code}` }))
  }

  hear(answer: Answer): void {
    this.#settle?.(answer)
    this.#settle = undefined
  }

  /** Waits for what the process says first, before it is asked for anything. */
  next(ask = () => {}): Promise<Reading> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.hear({ error: `no answer within ${LIMIT_MS / 1000} s` }), LIMIT_MS)
      this.#settle = (answer) => {
        clearTimeout(timer)
        if ('error' in answer) reject(new Error(answer.error))
        else resolve(answer.reading)
      }
      ask()
    })
  }

  run(): Promise<Reading> {
    return this.next(this.#ask)
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }
}

/** Whoever still runs when we are gone would run for ever. */
const running = new Set<Participant>()
process.on('exit', () => {
  for (const participant of running) participant.end()
})

/** A subject written in TypeScript. */
export async function forkSubject(scenario: string, subject: string, setting: Setting): Promise<Participant> {
  const child = fork(
    join(process.env.ROCKPOOL_BENCH_CODE as string, 'child.mjs'),
    [scenario, subject, JSON.stringify(setting)],
    { execArgv: ['--expose-gc', '--no-warnings'] },
  )
  const participant = new ProcessParticipant(subject, child, () => child.send('run'))
  child.on('message', (answer) => participant.hear(answer as Answer))
  return ready(participant)
}

/** A subject in another language: a program that reads `run` from its input and prints its answer in a line. */
export async function spawnSubject(
  subject: string,
  command: string,
  args: readonly string[],
): Promise<Participant> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {})
  const participant = new ProcessParticipant(subject, child, () => child.stdin.write('run\n'))
  createInterface(child.stdout).on('line', (line) => participant.hear(JSON.parse(line)))
  return ready(participant)
}

async function ready(participant: ProcessParticipant): Promise<Participant> {
  running.add(participant)
  try {
    await participant.next()
    return participant
  } catch (error) {
    retire(participant)
    throw error
  }
}

export function retire(participant: Participant): void {
  running.delete(participant)
  participant.end()
}

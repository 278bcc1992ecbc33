import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './entries.mjs'

/**
 * @typedef {object} RunOptions
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [show] pass the output through instead of collecting it
 * @property {number} [timeoutMs]
 */

/**
 * Never rejects: whoever runs a tool decides what its exit code means, and shows its output only if it failed.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 * @returns {Promise<{ code: number, output: string, ms: number }>}
 */
export function run(command, args, { cwd = root, env = process.env, show = false, timeoutMs = 0 } = {}) {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    let output = ''
    // One stream, so that a message stays under its headline when the output goes to a file.
    const stdio = /** @type {import('node:child_process').StdioOptions} */ (
      show ? ['ignore', 'inherit', 1] : ['ignore', 'pipe', 'pipe']
    )
    const child = spawn(command, args, { cwd, env, stdio })
    const collect = (/** @type {Buffer} */ chunk) => {
      output += chunk
    }
    child.stdout?.on('data', collect)
    child.stderr?.on('data', collect)
    /** @type {NodeJS.Timeout | undefined} */
    let timer
    if (timeoutMs > 0)
      timer = setTimeout(() => {
        output += `\nstopped after ${timeoutMs / 1000} s`
        child.kill('SIGKILL')
      }, timeoutMs)
    const settle = (/** @type {number} */ code) => {
      clearTimeout(timer)
      resolve({ code, output, ms: performance.now() - startedAt })
    }
    child.on('error', (error) => {
      output += `\n${error.message}`
      settle(1)
    })
    child.on('close', (code) => settle(code ?? 1))
  })
}

/** The file behind a tool's command, to run it by this very Node, without a shell and without PATH. @param {string} name */
export function tool(name) {
  const [folder, bin] = /** @type {Record<string, [string, string]>} */ ({
    biome: ['@biomejs/biome', 'biome'],
    tsc: ['typescript', 'tsc'],
  })[name] ?? [name, name]
  const home = join(root, 'node_modules', folder)
  const manifest = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  return join(home, typeof manifest.bin === 'string' ? manifest.bin : manifest.bin[bin])
}

/**
 * @param {readonly string[]} args
 * @param {RunOptions} [options]
 */
export function npm(args, options) {
  const cli = npmCli()
  return cli === undefined ? run('npm', args, options) : run(process.execPath, [cli, ...args], options)
}

/** npm tells where it is; started by plain `node`, or by another package manager, we look beside this Node. */
function npmCli() {
  const beside = dirname(process.execPath)
  const candidates = [
    process.env.npm_execpath ?? '',
    join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
    join(beside, 'node_modules/npm/bin/npm-cli.js'),
  ]
  return candidates.find((path) => /npm-cli\.js$/.test(path) && existsSync(path))
}

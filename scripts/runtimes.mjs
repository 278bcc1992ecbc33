import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { register } from 'tsx/esm/api'
import { cached, installInto } from './cached.mjs'
import { root } from './entries.mjs'
import { pack } from './pack.mjs'
import { makePortable } from './portable.mjs'
import { run } from './run.mjs'

// Runs every program of test/package/smoke, and the conformance suites, against the packed tarball on every runtime
// below. ROCKPOOL_PG_URL is a PostgreSQL that they may use, a fresh one for each runtime. A program fails by its exit code; a line `skipped: name - reason` that it prints counts as a skip.

/** @typedef {{ name: string, packages: string[], binary: string, args: string[] }} Runtime */

const PROGRAMS = join(root, 'test/package/smoke')
/** Those of test/conformance that need nothing but the package, a driver's package from npm, and a PostgreSQL. */
const CONFORMANCE = ['fake.test.ts', 'pg.test.ts', 'sqlite.test.ts', 'tedious.test.ts']

// By their packages for one platform: the wrappers around them need install scripts, which npm 12 does not run.
const { platform, arch } = process
const exe = platform === 'win32' ? '.exe' : ''

/** @type {readonly Runtime[]} */
export const runtimes = [node('22.23.3'), node('24.21.0'), node('26.10.0'), bun('1.4.4'), deno('2.9.6')]

/** @param {string} version @returns {Runtime} */
function node(version) {
  const name = `node-${platform === 'win32' ? 'win' : platform}-${arch}`
  return {
    name: `node${version.split('.')[0]}`,
    packages: [`${name}@${version}`],
    binary: `${name}/bin/node${exe}`,
    args: [],
  }
}

/** @param {string} version @returns {Runtime} */
function bun(version) {
  const name = `@oven/bun-${platform === 'win32' ? 'windows' : platform}-${arch === 'arm64' ? 'aarch64' : arch}`
  return { name: 'bun', packages: [`${name}@${version}`], binary: `${name}/bin/bun${exe}`, args: ['run'] }
}

/** @param {string} version @returns {Runtime} */
function deno(version) {
  const name = `@deno/${platform}-${arch}${platform === 'linux' ? '-glibc' : ''}`
  const args = ['run', '--allow-all', '--no-check', '--node-modules-dir=manual']
  return { name: 'deno', packages: [`${name}@${version}`], binary: `${name}/deno${exe}`, args }
}

/** @type {import('./lanes.mjs').Counts} */
const counts = { passed: 0, failed: 0, skipped: [] }
const folder = mkdtempSync(join(tmpdir(), 'rockpool-runtimes-'))
try {
  await checkAll(await makeApp())
} catch (error) {
  counts.failed++
  process.stdout.write(`${error}\n`)
}
rmSync(folder, { recursive: true })
if (process.env.ROCKPOOL_COUNTS) writeFileSync(process.env.ROCKPOOL_COUNTS, JSON.stringify(counts))
process.exitCode = counts.failed === 0 ? 0 : 1

/** Somebody's program with our tarball: the smoke programs, and the conformance suites made programs. */
async function makeApp() {
  const app = join(folder, 'app')
  await installInto(app, [await pack(folder), 'pg@8.23.1', 'better-sqlite3@13.2.0', 'tedious@20.3.9'])
  cpSync(PROGRAMS, app, { recursive: true })
  for (const file of CONFORMANCE)
    await makePortable(file, join(app, file.replace('.test.ts', '.conformance.mjs')))
  return app
}

/** @param {string} app */
async function checkAll(app) {
  register()
  const { startEmbeddedPostgres } = await import('../src/testing/embedded-postgres.ts')
  const programs = readdirSync(app).filter((file) => /\.[cm]js$/.test(file))
  for (const runtime of runtimes) {
    const home = await cached(runtime.name, runtime.packages)
    const server = await startEmbeddedPostgres({ password: 'secret' })
    process.env.ROCKPOOL_PG_URL = server.url()
    try {
      for (const program of programs)
        await check(runtime, join(home, 'node_modules', runtime.binary), app, program)
    } finally {
      await server.close()
    }
  }
}

/**
 * @param {Runtime} runtime
 * @param {string} binary
 * @param {string} app
 * @param {string} program
 */
async function check(runtime, binary, app, program) {
  const { code, output } = await run(binary, [...runtime.args, join(app, program)], {
    cwd: app,
    timeoutMs: 300_000,
  })
  if (code === 0) counts.passed++
  else counts.failed++
  if (code !== 0) process.stdout.write(`\nfailed: ${program} on ${runtime.name}\n${output}\n`)
  for (const [line, name = '', reason = ''] of output.matchAll(/^skipped: (.*?) - (.*)$/gm)) {
    counts.skipped.push({ name: `${runtime.name} > ${name}`, reason })
    process.stdout.write(`${line.replace('skipped: ', `skipped: ${runtime.name} > `)}\n`)
  }
}

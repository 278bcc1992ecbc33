import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './entries.mjs'
import { succeed } from './pack.mjs'
import { npm } from './run.mjs'

/**
 * Packages that must not lie beside our own tools: other versions of them, other runtimes. Installed once.
 * @param {string} name
 * @param {readonly string[]} packages with exact versions
 * @returns {Promise<string>} the folder with their node_modules
 */
export function cached(name, packages) {
  const key = [name, ...packages].join()
  const known = installing.get(key) ?? install(name, packages)
  installing.set(key, known)
  return known
}

/** What is asked for twice at the same time is installed once. @type {Map<string, Promise<string>>} */
const installing = new Map()

/**
 * @param {string} name
 * @param {readonly string[]} packages
 */
async function install(name, packages) {
  const version = createHash('sha256').update(packages.join()).digest('hex').slice(0, 8)
  const folder = join(root, 'node_modules/.cache/rockpool', `${name}-${version}`)
  if (existsSync(folder)) return folder
  const half = `${folder}.${process.pid}`
  if (/\s/.test(root)) await installElsewhere(half, packages)
  else await installInto(half, packages)
  return settle(half, folder)
}

/**
 * Gives what was made aside its name; where another process was faster, its own is kept.
 * @param {string} half
 * @param {string} folder
 */
export function settle(half, folder) {
  try {
    renameSync(half, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
    rmSync(half, { recursive: true })
  }
  return folder
}

/**
 * Compilers are called by makefiles that fall apart at a space in a path.
 * @param {string} folder
 * @param {readonly string[]} packages
 */
async function installElsewhere(folder, packages) {
  const place = mkdtempSync(join(tmpdir(), 'rockpool-install-'))
  try {
    await installInto(place, packages)
    cpSync(place, folder, { recursive: true, verbatimSymlinks: true })
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}

/**
 * @param {string} folder
 * @param {readonly string[]} packages
 */
export async function installInto(folder, packages) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--no-save', '--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
  await succeed(
    `npm install ${packages.join(' ')}`,
    npm([...args, '--prefix', folder, ...packages], { cwd: folder }),
  )
}

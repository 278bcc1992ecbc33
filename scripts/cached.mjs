import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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
export async function cached(name, packages) {
  const version = createHash('sha256').update(packages.join()).digest('hex').slice(0, 8)
  const folder = join(root, 'node_modules/.cache/rockpool', `${name}-${version}`)
  if (existsSync(folder)) return folder
  const half = `${folder}.${process.pid}`
  await installInto(half, packages)
  if (existsSync(folder)) rmSync(half, { recursive: true })
  else renameSync(half, folder)
  return folder
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

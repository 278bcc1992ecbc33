import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './entries.mjs'
import { npm } from './run.mjs'

const STAMP = join(root, 'node_modules/.cache/rockpool/installed')

/** Installs what package-lock.json names, once per lock file. Says something only if it takes time or fails. */
export async function ensureInstalled() {
  const wanted = lockHash()
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted) return true
  if (!matchesLock()) {
    process.stderr.write('first run: installing the tools (once, about half a minute)\n')
    const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
    const { code, output } = await npm(args)
    if (code !== 0) {
      process.stderr.write(`${output}\nnpm ci failed\n`)
      return false
    }
  }
  mkdirSync(dirname(STAMP), { recursive: true })
  writeFileSync(STAMP, wanted)
  return true
}

function lockHash() {
  const lock = readFileSync(join(root, 'package-lock.json'))
  return `${createHash('sha256').update(lock).digest('hex')} ${process.platform}-${process.arch}`
}

/**
 * Somebody may have installed by hand. npm keeps a list of what it really put there; packages of other
 * platforms are missing from it, and rightly so.
 */
function matchesLock() {
  const hidden = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(hidden)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional === true || present[path]?.version === version,
  )
}

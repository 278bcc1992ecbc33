import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { entries, entryName, root } from './scripts/entries.mjs'

const dist = process.env.ROCKPOOL_DIST ?? join(root, 'dist')

export default Object.entries(entries).map(([subpath, { limit }]) => ({
  name: subpath,
  path: withImports(join(dist, `${entryName(subpath)}.mjs`)),
  limit,
}))

/** An entry weighs what it loads, not what its own file weighs. @param {string} file @param {string[]} seen */
function withImports(file, seen = []) {
  if (seen.includes(file) || !existsSync(file)) return seen
  seen.push(file)
  const specifiers = readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*["'](\.[^"']+)["']/g)
  for (const [, specifier] of specifiers) withImports(join(dirname(file), specifier), seen)
  return seen
}

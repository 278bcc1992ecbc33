import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The one list of what can be imported from the package, and how heavy each may become with everything
 * it pulls in (compressed). package.json, the build, the size limits, the API reference and the package
 * tests all follow from it; after a change run `npm run entries`.
 * @type {Record<string, { limit: string }>}
 */
export const entries = {
  '.': { limit: '88 kB' },
  './drivers/mariadb': { limit: '18 kB' },
  './drivers/mysql2': { limit: '18 kB' },
  './drivers/pg': { limit: '18 kB' },
  './drivers/sqlite': { limit: '24 kB' },
  './testing': { limit: '132 kB' },
}

export const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} subpath */
export function entryName(subpath) {
  return subpath === '.' ? 'index' : subpath.slice(2)
}

/** A room's entry is either a file or the index of a folder. @param {string} subpath */
export function entrySource(subpath) {
  const file = `src/${entryName(subpath)}.ts`
  const folder = `src/${entryName(subpath)}/index.ts`
  return existsSync(root + folder) ? folder : file
}

export function exportsField() {
  /** @type {Record<string, unknown>} */
  const exported = {}
  for (const subpath of Object.keys(entries)) {
    const path = `./dist/${entryName(subpath)}`
    exported[subpath] = {
      import: { types: `${path}.d.mts`, default: `${path}.mjs` },
      require: { types: `${path}.d.cts`, default: `${path}.cjs` },
    }
  }
  exported['./package.json'] = './package.json'
  return exported
}

/** For TypeScript's `node10` resolution, which does not read `exports`. */
export function typesVersionsField() {
  const subpaths = Object.keys(entries).filter((subpath) => subpath !== '.')
  return { '*': Object.fromEntries(subpaths.map((s) => [entryName(s), [`./dist/${entryName(s)}.d.cts`]])) }
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv.includes('--write')) {
  const file = `${root}package.json`
  const manifest = JSON.parse(readFileSync(file, 'utf8'))
  manifest.exports = exportsField()
  manifest.typesVersions = typesVersionsField()
  writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
}

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The one list of what can be imported from the package, and how heavy each may become with everything
 * it pulls in (compressed). package.json, the build, the size limits, the API reference and the package
 * tests all follow from it; after a change run `npm run entries`.
 *
 * `callable` is for a drop-in whose original is a class under `require` (`module.exports = class Pool`): the entry has that
 * class as its default export, and `require` then gives the class itself, with every other export as a property of it. Under
 * `import` nothing changes. A type parameter of the class has a default, and names no other type. Where `require` of the
 * original gives an object with names, leave it out: that is what every entry gives.
 *
 * `whole` is for a drop-in whose default export is the original's whole object, settings included (`sql.Promise = Bluebird`):
 * `require` then gives that object itself, for a setting that is made on a copy would reach nobody.
 * @type {Record<string, { limit: string, callable?: boolean, whole?: boolean }>}
 */
export const entries = {
  '.': { limit: '136 kB' },
  './compat/mariadb': { limit: '14 kB' },
  './compat/generic-pool': { limit: '52 kB' },
  './compat/mssql': { limit: '64 kB', whole: true },
  './compat/mysql2': { limit: '78 kB' },
  './compat/mysql2/promise': { limit: '78 kB' },
  './compat/oracledb': { limit: '64 kB', whole: true },
  './compat/pg-pool': { limit: '64 kB', callable: true },
  './compat/sequelize-pool': { limit: '52 kB' },
  './compat/tarn': { limit: '52 kB' },
  './drivers/mariadb': { limit: '22 kB' },
  './drivers/mysql2': { limit: '22 kB' },
  './drivers/odbc': { limit: '19 kB' },
  './drivers/oracledb': { limit: '16 kB' },
  './drivers/pg': { limit: '27 kB' },
  './drivers/sqlite': { limit: '24 kB' },
  './drivers/tedious': { limit: '19 kB' },
  './orm/drizzle': { limit: '49 kB' },
  './orm/typeorm': { limit: '88 kB' },
  './orm/kysely': { limit: '12 kB' },
  './orm/sequelize': { limit: '63 kB' },
  './orm/knex': { limit: '44 kB' },
  './orm/mikro-orm': { limit: '16 kB' },
  './orm/prisma': { limit: '29 kB' },
  './orm/pg-promise': { limit: '41 kB' },
  './orm/slonik': { limit: '28 kB' },
  './testing': { limit: '214 kB' },
}

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Entries that are their default export under `require`. */
export function callable() {
  return Object.keys(entries).filter((subpath) => entries[subpath]?.callable === true)
}

/** Entries that are their default export under `require`, an object with all that the original has. */
export function whole() {
  return Object.keys(entries).filter((subpath) => entries[subpath]?.whole === true)
}

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

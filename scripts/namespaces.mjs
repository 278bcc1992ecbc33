import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const TYPES = /\.d\.([cm])ts$/

/**
 * An entry whose default export is the entry itself (`import mysql from`) says so in its types as well. What the bundler
 * writes in its place lacks what comes by `export *`, and brings exports of names that are nowhere declared.
 * @param {string} dist
 */
export function makeNamespaces(dist) {
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    const kind = TYPES.exec(file)?.[1]
    if (kind === undefined) continue
    const path = join(dist, file)
    const types = readFileSync(path, 'utf8')
    const mended = types.replace(UNDECLARED, '').replace(LEFT_OVER, '')
    const itself = `./${basename(file).replace(TYPES, `.${kind}js`)}`
    const whole = mended.replace(LIST, (list) =>
      DEFAULT.test(list) ? `${list.replace(DEFAULT, '')}\nexport * as default from '${itself}';\n` : list,
    )
    if (whole !== types) writeFileSync(path, whole)
  }
}

const UNDECLARED = /(?<=[{,]) (?:__(?:reExport|exportAll) as \w+|\w+ as __(?:reExport|exportAll)),?/g
const LIST = /\nexport \{[^}]*\};\s*$/
const DEFAULT = /(?<=[{,]) \w+_d_exports as default,?/
/** The entry under another name, which nobody exports any more. */
const LEFT_OVER = /declare namespace \w+_d_exports \{\n[^}]*\w+_d_exports as default[^}]*\};?\n\}\n/

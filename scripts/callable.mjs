import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { callable, entryName, whole } from './entries.mjs'

/**
 * Gives the entries that are `callable` their form under `require`: the default export itself, with every export as a
 * property of it, `default` included.
 * @param {string} dist
 */
export function makeCallable(dist) {
  for (const subpath of callable()) {
    const path = join(dist, entryName(subpath))
    writeFileSync(`${path}.cjs`, moduleOf(readFileSync(`${path}.cjs`, 'utf8')))
    // Where `export type` was written, the name could not be exported a second time.
    const types = readFileSync(`${path}.d.cts`, 'utf8').replace(LIST, (list) => list.replace(/\btype /g, ''))
    writeFileSync(`${path}.names.d.cts`, types)
    writeFileSync(`${path}.d.cts`, typesOf(types, basename(path)))
  }
}

/**
 * Gives the entries that are `whole` their form under `require`: the default export itself, with those exports as properties
 * that it does not have anyway.
 * @param {string} dist
 */
export function makeWhole(dist) {
  for (const subpath of whole()) {
    const path = join(dist, `${entryName(subpath)}.cjs`)
    writeFileSync(
      path,
      `${readFileSync(path, 'utf8').trimEnd()}
for (const name of Object.keys(exports)) {
  if (!(name in exports.default)) Object.defineProperty(exports.default, name, { value: exports[name] });
}
module.exports = exports.default;
`,
    )
  }
}

const LIST = /\nexport \{([^}]*)\};\s*$/

/** Not enumerable: whoever prints the class wants no list of itself. @param {string} code */
function moduleOf(code) {
  return `${code.trimEnd()}
for (const name of Object.keys(exports)) Object.defineProperty(exports.default, name, { value: exports[name] });
module.exports = exports.default;
`
}

/**
 * TypeScript's `export =` gives one name: a class may carry types beside its static members, in a namespace of its name.
 * @param {string} types @param {string} file
 */
function typesOf(types, file) {
  const [reference] = types.split('\n', 1)
  const [, list] = LIST.exec(types) ?? []
  if (list === undefined) throw new Error(`${file}.d.cts has no list of exports`)
  const names = list.split(',').map((item) => item.trim().replace(/^.* as /, ''))
  const { generic, given } = parametersOf(types, /(\w+) as default\b/.exec(list)?.[1])
  const members = names.map((name) =>
    name === 'default' ? '  export { Callable as default };' : `  export import ${name} = names.${name};`,
  )
  return `${reference}
import * as names from './${file}.names.cjs';
declare class Callable${generic} extends names.default${given} {}
declare namespace Callable {
${members.join('\n')}
}
export = Callable;
`
}

/**
 * The type parameters of a class: `<T = unknown>`, and `<T>` as they are passed on.
 * @param {string} types @param {string | undefined} name
 */
function parametersOf(types, name) {
  const generic = new RegExp(`\\bclass ${name}(<[^{]*?>) extends`).exec(types)?.[1] ?? ''
  return { generic, given: generic.replace(/ (?:extends|=) [^,>]*/g, '') }
}

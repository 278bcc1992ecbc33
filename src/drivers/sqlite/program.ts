import { openEngine } from './engine.ts'
import { serve } from './serve.ts'

/**
 * The program of our threads, as a text made of the functions themselves. A file of its own would be lost in every bundle,
 * and would have another name in each of ESM, CommonJS and tests.
 */
export function threadProgram(): string {
  const keepName = `const ${nameKeeper()} = (f) => f;`
  return `${keepName}\n(${serve.toString()})(${openEngine.toString()})`
}

/** A bundler that keeps the names of functions puts a call around each; which one, a function tells that has one within. */
function nameKeeper(): string {
  return /([\w$]+)\((?:\(\)|[\w$]+)[^"'(]*["']marker["']\)/.exec(marked.toString())?.[1] ?? '__name'
}

function marked(): () => number {
  const marker = () => 0
  return marker
}

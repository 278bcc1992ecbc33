import { openEngine } from './engine.ts'
import { serve } from './serve.ts'

/**
 * The program of our threads, as a text made of the functions themselves. A file of its own would be lost in every bundle,
 * and would have another name in each of ESM, CommonJS and tests. `__name` is what esbuild puts around functions where it
 * is told to keep names.
 */
export function threadProgram(): string {
  return `const __name = (f) => f;\n(${serve.toString()})(${openEngine.toString()})`
}

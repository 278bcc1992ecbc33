import { join, relative } from 'node:path'
import { build } from 'esbuild'
import { entries, entrySource, root } from './entries.mjs'

/**
 * Makes a plain program of a conformance file: what it imports from src comes from the installed package instead, so
 * the very same cases judge the tarball on other runtimes.
 * @param {string} file below test/conformance
 * @param {string} outfile
 */
export async function makePortable(file, outfile) {
  const harness = join(root, 'test/package/portable/vitest.ts')
  const path = join(root, 'test/conformance', file)
  const contents = `import ${JSON.stringify(path)}\nimport { runAll } from 'vitest'\nawait runAll()`
  await build({
    stdin: { contents, resolveDir: root },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    alias: { vitest: harness },
    plugins: [{ name: 'the installed package instead of src', setup }],
    packages: 'external',
    // Our package.json says that nothing here has side effects; defining tests is one.
    ignoreAnnotations: true,
    logLevel: 'silent',
  })
}

/** @param {import('esbuild').PluginBuild} build */
function setup(build) {
  const started = join(root, 'test/package/portable/embedded-postgres.ts')
  const packages = new Map(Object.keys(entries).map((s) => [entrySource(s), `rockpool${s.slice(1)}`]))
  build.onResolve({ filter: /\/src\// }, ({ path, resolveDir }) => {
    const source = relative(root, join(resolveDir, path)).replaceAll('\\', '/')
    if (source === 'src/testing/embedded-postgres.ts') return { path: started }
    const name = packages.get(source)
    return name === undefined
      ? { errors: [{ text: `${source} is not public` }] }
      : { path: name, external: true }
  })
}

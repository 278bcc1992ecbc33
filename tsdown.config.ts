import { defineConfig } from 'tsdown'
import { entries, entryName, entrySource } from './scripts/entries.mjs'

const library = Object.fromEntries(Object.keys(entries).map((s) => [entryName(s), entrySource(s)]))
const program = { 'cli/main': 'src/cli/main.ts' }

export default defineConfig({
  entry: library,
  // The program is run, never required: it needs no CommonJS.
  format: { esm: { entry: { ...library, ...program } }, cjs: {} },
  platform: 'node',
  target: 'node20.19',
  tsconfig: 'tsconfig.build.json',
  dts: true,
  shims: true,
  // The bundler leaves the sources' own references in the middle of a file, where they count for nothing.
  banner: { dts: '/// <reference lib="esnext.disposable" preserve="true" />' },
  hash: false,
  // In a folder of their own: one that is called `index` would take the place of the package's own types.
  outputOptions: ({ chunkFileNames, ...options }) => ({
    ...options,
    chunkFileNames: (chunk) =>
      `chunks/${typeof chunkFileNames === 'function' ? chunkFileNames(chunk) : chunkFileNames}`,
  }),
  clean: true,
  // What is only a devDependency would be copied into our files.
  deps: { skipNodeModulesBundle: true },
})

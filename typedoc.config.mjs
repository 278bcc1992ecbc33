import { entries, entrySource } from './scripts/entries.mjs'

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'rockpool',
  entryPoints: Object.keys(entries).map(entrySource),
  out: 'docs/api',
  tsconfig: 'tsconfig.build.json',
  readme: 'none',
  // Links to lines would need to know where the repository is published.
  disableSources: true,
  treatWarningsAsErrors: true,
  logLevel: 'Warn',
}

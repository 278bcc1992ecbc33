import { entries, entrySource } from './scripts/entries.mjs'

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'rockpool',
  entryPoints: Object.keys(entries).map(entrySource),
  out: 'docs/api',
  tsconfig: 'tsconfig.build.json',
  readme: 'none',
  // Parts of the shapes of other packages and of the fakes: nobody needs their names.
  intentionallyNotExported: [
    'CASES',
    'LibraryKind',
    'Password',
    'PgConnection',
    'PgResult',
    'RowStream',
    'SendOptions',
    'Sent',
    'Submittable',
  ],
  // Links to lines would need to know where the repository is published.
  disableSources: true,
  treatWarningsAsErrors: true,
  logLevel: 'Warn',
}

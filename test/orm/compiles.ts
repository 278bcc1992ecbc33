import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/entries.mjs'
import { compile } from '../docs/types.ts'

/** What the compiler complains about in a program that lies in `home`, beside packages of its own. */
export async function complaintsOf(home: string, code: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(home, 'types-'))
  try {
    const block = { name: 'program', code, fragment: undefined, output: undefined, steps: [], packages: [] }
    const complaints = await compile([{ ...block, language: 'ts' }], folder, {
      paths: {
        rockpool: [join(root, 'src/index.ts')],
        'rockpool/*': [join(root, 'src/*/index.ts')],
        pg: [join(root, 'node_modules/@types/pg/index.d.ts')],
      },
      typeRoots: [join(root, 'node_modules/@types')],
      allowImportingTsExtensions: true,
    })
    return [...complaints.values()].flat()
  } finally {
    rmSync(folder, { recursive: true })
  }
}

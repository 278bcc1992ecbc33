import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { pack } from '../../scripts/pack.mjs'

declare module 'vitest' {
  interface ProvidedContext {
    tarball: string
  }
}

/** One tarball for all files of the lane; `inject('tarball')` is its path. */
export default async function packOnce(project: TestProject): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), 'rockpool-pack-'))
  project.provide('tarball', await pack(folder))
  return () => rmSync(folder, { recursive: true })
}

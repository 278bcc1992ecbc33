import { cpSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.mjs'
import { root } from './entries.mjs'
import { npm } from './run.mjs'

/**
 * Builds and packs in a folder of its own: tests run while somebody else builds, or works with dist.
 * @param {string} folder an empty one
 * @returns {Promise<string>} the tarball
 */
export async function pack(folder) {
  const stage = join(folder, 'stage')
  mkdirSync(stage)
  for (const file of ['package.json', 'README.md', 'LICENSE'])
    if (existsSync(join(root, file))) cpSync(join(root, file), join(stage, file))
  await succeed('the build', build(join(stage, 'dist')))
  await succeed('npm pack', npm(['pack', '--ignore-scripts', '--pack-destination', folder], { cwd: stage }))
  const tarball = readdirSync(folder).find((file) => file.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack wrote no tarball')
  return join(folder, tarball)
}

/**
 * @param {string} what
 * @param {ReturnType<typeof npm>} started
 */
export async function succeed(what, started) {
  const { code, output } = await started
  if (code !== 0) throw new Error(`${what} failed\n${output}`)
  return output
}

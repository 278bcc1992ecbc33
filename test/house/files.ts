import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

const NOT_OURS = /^(\.git|node_modules|dist|coverage|docs\/api)(\/|$)/

/** Paths of what is or would be committed. */
export function committedFiles(): string[] {
  try {
    const args = ['ls-files', '--cached', '--others', '--exclude-standard', '-z']
    const listed = execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: 'pipe' }).split('\0')
    return [...new Set(listed)].filter((path) => existsSync(join(root, path)) && path !== '')
  } catch {
    // Sources without their repository, or of another owner: what lies there is what there is.
    return walk('').filter((path) => !path.endsWith('.tgz'))
  }
}

function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (NOT_OURS.test(path)) return []
    return entry.isDirectory() ? walk(path) : [path]
  })
}

/** The tree under src: paths with `/` to their texts. */
export function sources(): Map<string, string> {
  const paths = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  const modules = paths.map((path) => path.replaceAll('\\', '/')).filter((path) => path.endsWith('.ts'))
  return new Map(modules.sort().map((path) => [path, read(`src/${path}`)]))
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

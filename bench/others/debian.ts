import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Where a package of Debian's lies: '' where it is installed, else a folder into which it was unpacked, without
 * installing anything. Rejects where neither can be had.
 */
export async function debianPackage({ name, file }: { name: string; file: string }): Promise<string> {
  if (existsSync(file)) return ''
  const folder = join(process.cwd(), 'node_modules/.cache/rockpool/debian', name)
  if (existsSync(folder + file)) return folder
  const half = `${folder}.${process.pid}`
  mkdirSync(half, { recursive: true })
  try {
    run('apt-get', ['download', '-qq', name], half)
    const archive = readdirSync(half).find((found) => found.endsWith('.deb'))
    if (archive === undefined) throw new Error(`apt-get has no ${name}`)
    run('dpkg', ['-x', archive, half], half)
    rmSync(join(half, archive))
    rmSync(folder, { recursive: true, force: true })
    renameSync(half, folder)
  } finally {
    rmSync(half, { recursive: true, force: true })
  }
  if (!existsSync(folder + file)) throw new Error(`Debian's package ${name} has no ${file}`)
  return folder
}

function run(command: string, args: string[], cwd: string): void {
  const { status, error, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status === 0) return
  const why = error === undefined ? stderr.trim().split('\n').at(-1) : 'there is no such command'
  throw new Error(`${command} ${args.join(' ')}: ${why}`)
}

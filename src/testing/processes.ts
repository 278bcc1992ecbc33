import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** The processes that this one has started. */
export function processesUnder(parent: number): number[] {
  return all().flatMap(([pid, of]) => (of === parent ? [pid] : []))
}

/** An orphan may stay in the list when nobody collects it; it holds nothing any more. */
export function hasEnded(pid: number): boolean {
  try {
    process.kill(pid, 0)
    if (!existsSync('/proc/self/stat')) return false
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return /^[ZX]$/.test(stat.slice(stat.lastIndexOf(')')).split(' ')[1] ?? '')
  } catch {
    return true
  }
}

function all(): (readonly [pid: number, parent: number])[] {
  return existsSync('/proc/self/stat') ? fromProc() : fromPs()
}

/** Slim containers have no `ps`. */
function fromProc(): (readonly [number, number])[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // `pid (any name) state parent ...`
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        return [[Number(name), Number(stat.slice(stat.lastIndexOf(')')).split(' ')[2])] as const]
      } catch {
        return [] // it has ended in the meantime
      }
    })
}

function fromPs(): (readonly [number, number])[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as [number, number])
}

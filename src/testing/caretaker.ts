import { spawn, spawnSync } from 'node:child_process'
import type { Socket } from 'node:net'

// Ends the server whose data is in "$1/data" and deletes "$1". The server takes its pid file away when the last of its
// processes is gone; its pid says less, since it stays until the parent has asked how its child ended. An initdb that has
// lost its parent goes on for a moment, and may put something into the folder while it is being deleted.
const CLEAN_UP = `
  pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null)
  if [ -n "$pid" ]; then
    kill -CONT "$pid" 2>/dev/null && kill -QUIT "$pid" 2>/dev/null
    n=0
    while [ -e "$1/data/postmaster.pid" ] && [ $n -lt 300 ]; do sleep 0.02; n=$((n+1)); done
    [ -e "$1/data/postmaster.pid" ] && kill -KILL "$pid" 2>/dev/null
  fi
  n=0
  while rm -rf "$1"; sleep 0.05; [ -e "$1" ] && [ $n -lt 100 ]; do n=$((n+1)); done
`

const guarded = new Set<string>()

/**
 * Sees to it that neither the server nor its folder outlives this process, however it ends: an orderly exit cleans up
 * before it is over; after Ctrl-C, a crash or a SIGKILL it is done by a shell that waits for the end of its input.
 */
export function guard(folder: string): { dismiss(): void } {
  if (guarded.size === 0) process.on('exit', cleanUpAll)
  guarded.add(folder)
  const watcher = spawn('/bin/sh', ['-c', `cat >/dev/null; ${CLEAN_UP}`, 'sh', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.unref()
  const input = watcher.stdin as Socket
  input.unref()
  return {
    dismiss() {
      guarded.delete(folder)
      if (guarded.size === 0) process.off('exit', cleanUpAll)
      input.destroy()
    },
  }
}

function cleanUpAll(): void {
  for (const folder of guarded)
    spawnSync('/bin/sh', ['-c', CLEAN_UP, 'sh', folder], { cwd: '/', stdio: 'ignore' })
}

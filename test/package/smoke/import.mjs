import assert from 'node:assert'
import { createRequire } from 'node:module'

const { exports } = createRequire(import.meta.url)('rockpool/package.json')
const subpaths = Object.keys(exports).filter((subpath) => subpath !== './package.json')

for (const subpath of subpaths) {
  const entry = await import(`rockpool${subpath.slice(1)}`)
  assert(Object.keys(entry).length > 0, `${subpath} exports nothing`)
  // A drop-in has what its original has.
  if (!subpath.startsWith('./compat/')) assert(!('default' in entry), `${subpath} has a default export`)
}

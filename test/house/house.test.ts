import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

test('the core has no runtime dependency', () => {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(manifest.dependencies ?? {}).toEqual({})
})

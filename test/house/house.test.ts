import { expect, test } from 'vitest'
import { entries, entrySource, exportsField, typesVersionsField } from '../../scripts/entries.mjs'
import { FAULTS } from '../../scripts/faults.mjs'
import { committedFiles, read, sources } from './files.ts'

const manifest = JSON.parse(read('package.json'))

test('the core has no runtime dependency', () => {
  expect(manifest.dependencies ?? {}).toEqual({})
})

test('tools have exact versions', () => {
  const versions = Object.entries<string>(manifest.devDependencies)
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([])
})

test('drivers are optional peers with ranges open upwards', () => {
  const peers = Object.entries<string>(manifest.peerDependencies)
  expect(peers.filter(([, range]) => !/^>=\d+(\.\d+)*$/.test(range))).toEqual([])
  expect(peers.filter(([name]) => manifest.peerDependenciesMeta[name]?.optional !== true)).toEqual([])
})

test('package.json agrees with scripts/entries.mjs (npm run entries)', () => {
  expect(manifest.exports).toEqual(exportsField())
  expect(manifest.typesVersions).toEqual(typesVersionsField())
})

test('every entry has a source', () => {
  const files = sources()
  const sourceOf = (subpath: string) => entrySource(subpath).replace('src/', '')
  const missing = Object.keys(entries).filter((subpath) => !files.has(sourceOf(subpath)))
  expect(missing).toEqual([])
})

test('no file of src is longer than 300 lines', () => {
  const long = [...sources()].filter(([, text]) => text.trimEnd().split('\n').length > 300)
  expect(long.map(([path]) => path)).toEqual([])
})

test('every fault that sim:faults plants has its one place in the sources', () => {
  const homeless = FAULTS.filter(({ file, from }) => sources().get(file)?.split(from).length !== 2)
  expect(homeless.map(({ name }) => name)).toEqual([])
})

test('there is no utils', () => {
  expect(committedFiles().filter((path) => /(^|\/)utils?(\.[cm]?[jt]s$|\/)/.test(path))).toEqual([])
})

test('no committed file names a machine or a private host', () => {
  // Written in parts, or this file would be found.
  const folders = ['home', 'Users', 'root', 'work', 'mnt', 'builds'].join('|')
  const path = new RegExp(`(?:(?<![\\w.)\\]}*~/-])|file://)/(?:${folders})/\\w|\\b[A-Z]:\\\\Users\\\\`)
  const host =
    /https?:\/\/(?!registry\.npmjs\.org\/)(?:[\w-]*registry[\w-]*\.|[\w.-]+\.(?:internal|corp|lan|intra)\b|(?:10|172\.(?:1[6-9]|2\d|3[01])|192\.168)\.\d)/
  const found = committedFiles().flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) =>
        path.test(line) || host.test(line) ? [`${file}:${index + 1} ${line.trim().slice(0, 120)}`] : [],
      ),
  )
  expect(found).toEqual([])
})

test('the lock file names no registry', () => {
  expect(read('package-lock.json')).not.toMatch(/"resolved"/)
})

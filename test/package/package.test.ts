import { readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { type CheckResult, checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { entries, entryName } from '../../scripts/entries.mjs'
import { run, tool } from '../../scripts/run.mjs'

const data = readFileSync(inject('tarball'))
const tarball = createPackageFromTarballData(new Uint8Array(data))
const files = tarball.listFiles().map((path) => path.replace(/^\/node_modules\/rockpool\//, ''))
const text = (file: string) => tarball.readFile(`/node_modules/rockpool/${file}`)
const subpaths = Object.keys(entries)
const LOADS = /(?:^(?:import|export)\b[^'"\n]*?|\brequire\(|\bimport\()["']([^'"]+)["']/gm

const withoutComments = (file: string) => text(file).replace(/^\s*(\/?\*|\/\/).*$/gm, '')

test('the tarball holds dist, README, LICENSE and package.json, nothing else', () => {
  const besides = files.filter((file) => !file.startsWith('dist/'))
  expect(besides.sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
})

test("nobody else's code is in the tarball", () => {
  const regions = files.flatMap((file) =>
    [...text(file).matchAll(/^\/\/#region (.*)$/gm)].map(([, from]) => `${file}: ${from}`),
  )
  expect(regions.length).toBeGreaterThan(0)
  expect(regions.filter((region) => !/: (src\/|\\0rolldown\/runtime\.js$)/.test(region))).toEqual([])
})

const specifiers = (file: string) =>
  [...withoutComments(file).matchAll(LOADS)].map(([, specifier = '']) => specifier)
const packagesOf = (file: string) =>
  specifiers(file)
    .filter((specifier) => !/^(\.|node:|module$|url$)/.test(specifier))
    .map((specifier) => `${file}: ${specifier}`)

test('the library loads nothing but itself and Node', () => {
  const library = files.filter((file) => /\.[cm]?js$/.test(file) && !file.startsWith('dist/cli/'))
  expect(library.flatMap(packagesOf)).toEqual([])
})

test('no types but those of drop-ins and ORMs need the types of a package', () => {
  const reached = new Set<string>()
  const reach = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const specifier of specifiers(file)) {
      if (!specifier.startsWith('.')) continue
      reach(posix.join(posix.dirname(file), specifier.replace(/js$/, 'ts').replace(/\.([cm])ts$/, '.d.$1ts')))
    }
  }
  for (const subpath of subpaths.filter((name) => !/^\.\/(compat|orm)\//.test(name)))
    for (const extension of ['d.mts', 'd.cts']) reach(`dist/${entryName(subpath)}.${extension}`)
  expect(reached.size).toBeGreaterThan(10)
  expect([...reached].flatMap(packagesOf)).toEqual([])
})

const exportedBy = (file: string) =>
  [...text(file).matchAll(/^export (?:\{([^}]*)\}|\* as (\w+) from '.*');?$/gm)].flatMap(([, list, itself]) =>
    (list ?? itself ?? '').split(',').map((item) => item.trim().replace(/^type |^.* as /g, '')),
  )

test.each(subpaths)('%s has a type for each of its exports', (subpath) => {
  const entry = `dist/${entryName(subpath)}`
  const names = exportedBy(`${entry}.mjs`)
  expect(names.length).toBeGreaterThan(0)
  expect(exportedBy(`${entry}.d.mts`)).toEqual(expect.arrayContaining(names))
})

test('no file of types speaks of what the bundler left out', () => {
  const types = files.filter((file) => /\.d\.[cm]ts$/.test(file))
  expect(types.filter((file) => /__reExport|__exportAll|_d_exports as default/.test(text(file)))).toEqual([])
})

test('every file of types brings the library it needs', () => {
  const types = files.filter((file) => /\.d\.[cm]ts$/.test(file) && !file.startsWith('dist/cli/'))
  expect(types.filter((file) => !text(file).startsWith('/// <reference lib="esnext.disposable"'))).toEqual([])
})

test('publint has nothing to say', async () => {
  const pack = { tarball: new Uint8Array(data).buffer }
  const { messages } = await publint({ pack, strict: true })
  const manifest = JSON.parse(text('package.json'))
  expect(messages.map((message) => formatMessage(message, manifest, { color: false }))).toEqual([])
})

describe('are the types wrong', () => {
  let result: CheckResult
  beforeAll(async () => {
    result = await checkPackage(tarball)
  })

  test('nowhere', () => {
    expect(result.types && result.problems).toEqual([])
  })

  test.each(subpaths)('%s resolves, with types, in every way', (subpath) => {
    const entry = result.types === false ? undefined : result.entrypoints[subpath]
    const found = Object.values(entry?.resolutions ?? {})
    expect(Object.fromEntries(found.map((r) => [r.resolutionKind, r.resolution?.isTypeScript]))).toEqual({
      bundler: true,
      node10: true,
      'node16-cjs': true,
      'node16-esm': true,
    })
  })
})

describe('size', () => {
  let measured: { name: string; passed: boolean; size: number; sizeLimit: number }[]
  beforeAll(async () => {
    const env = { ...process.env, ROCKPOOL_DIST: join(dirname(inject('tarball')), 'stage/dist') }
    measured = JSON.parse((await run(process.execPath, [tool('size-limit'), '--json'], { env })).output)
  })

  test.each(subpaths)('%s stays within its limit', (subpath) => {
    expect(measured.find(({ name }) => name === subpath)).toMatchObject({ passed: true })
  })
})

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type CheckResult, checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { entries } from '../../scripts/entries.mjs'
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

test('the library loads nothing but itself and Node', () => {
  const library = files.filter((file) => /\.[cm]?[jt]s$/.test(file) && !file.startsWith('dist/cli/'))
  const foreign = library.flatMap((file) =>
    [...withoutComments(file).matchAll(LOADS)]
      .map(([, specifier = '']) => specifier)
      .filter((specifier) => !/^(\.|node:|module$|url$)/.test(specifier))
      .map((specifier) => `${file}: ${specifier}`),
  )
  expect(foreign).toEqual([])
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

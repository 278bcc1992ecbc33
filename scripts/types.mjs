import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import ts from 'typescript'
import { root } from './entries.mjs'

// Runs the type tests: nothing is executed, a `test(...)` in test/types/*.test-d.ts passes when what is in it compiles.

const config = join(root, 'test/types/tsconfig.json')
const parsed = ts.getParsedCommandLineOfConfigFile(
  config,
  {},
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: report },
)
if (parsed === undefined) process.exit(1)
const program = ts.createProgram(parsed.fileNames, parsed.options)
const left = new Set([...(parsed.errors ?? []), ...ts.getPreEmitDiagnostics(program)])

/** @type {import('./lanes.mjs').Counts} */
const counts = { passed: 0, failed: 0, skipped: [] }
for (const source of program.getSourceFiles().filter(({ fileName }) => fileName.endsWith('.test-d.ts')))
  for (const test of testsIn(source)) {
    const errors = [...left].filter(
      ({ file, start = -1 }) => file === source && start >= test.pos && start < test.end,
    )
    if (errors.length === 0) counts.passed++
    else fail(`${relative(root, source.fileName)} > ${test.name}`, errors)
  }
if (left.size > 0) fail('outside of every test', [...left])

if (process.env.ROCKPOOL_COUNTS) writeFileSync(process.env.ROCKPOOL_COUNTS, JSON.stringify(counts))
process.exitCode = counts.failed === 0 ? 0 : 1

/** @param {ts.SourceFile} source */
function testsIn(source) {
  /** @type {{ name: string, pos: number, end: number }[]} */
  const found = []
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isCallExpression(node) && node.expression.getText() === 'test' && node.arguments[0]) {
      const [name] = node.arguments
      found.push({
        name: ts.isStringLiteralLike(name) ? name.text : name.getText(),
        pos: node.pos,
        end: node.end,
      })
    } else {
      ts.forEachChild(node, visit)
    }
  }
  visit(source)
  return found
}

/**
 * @param {string} name
 * @param {readonly ts.Diagnostic[]} errors
 */
function fail(name, errors) {
  counts.failed++
  process.stdout.write(`\nfailed: ${name}\n`)
  for (const error of errors) {
    left.delete(error)
    report(error)
  }
}

/** @param {ts.Diagnostic} error */
function report(error) {
  const host = {
    getCanonicalFileName: (/** @type {string} */ f) => f,
    getCurrentDirectory: () => root,
    getNewLine: () => '\n',
  }
  process.stdout.write(ts.formatDiagnostic(error, host))
}

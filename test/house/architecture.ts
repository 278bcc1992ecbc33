import { posix } from 'node:path'
import ts from 'typescript'

/** A row may import from the rows below it. */
const ROWS = [
  ['cli'],
  ['index', 'testing', 'orm', 'compat', 'scale'],
  ['create-pool'],
  ['sql', 'drivers', 'observe'],
  ['pool'],
  ['engine'],
  ['contract'],
]
const CONTRACT_ALONE = ['drivers', 'observe']
const SHAPED_BY_PACKAGES = ['compat', 'orm']
const SIDEWAYS = ['orm > compat']
const NOT_IN_ENGINE = new Set(
  'setTimeout setInterval setImmediate queueMicrotask Promise PromiseLike process performance Date fetch console'.split(
    ' ',
  ),
)

interface Import {
  readonly target: string
  readonly typeOnly: boolean
  readonly late: boolean
}

/** What breaks the rules of the house in this tree: paths inside src to their texts. */
export function violations(tree: ReadonlyMap<string, string>): string[] {
  const parsed = [...tree].map(([path, text]) => ({ path, ...parse(path, text) }))
  const graph = new Map(
    parsed.map(({ path, imports }) => [path, imports.map((i) => i.target).filter(isInside)]),
  )
  return [
    ...parsed.flatMap(({ path, imports, source }) => [
      ...imports.flatMap((found) =>
        isInside(found.target) ? judgeEdge(path, found.target, tree) : judgePackage(path, found),
      ),
      ...(roomOf(path) === 'engine' ? judgeEngine(path, source, imports) : []),
    ]),
    ...[...tree.keys()]
      .filter((path) => rowOf(roomOf(path)) === -1)
      .map((path) => `${path}: there is no such room`),
    ...cycles(graph).map((cycle) => `cycle: ${cycle.join(' > ')}`),
  ]
}

function parse(path: string, text: string): { source: ts.SourceFile; imports: Import[] } {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const imports: Import[] = []
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, late: boolean) => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    const inside = specifier.text.startsWith('.')
    const target = inside ? posix.join('/', posix.dirname(path), specifier.text) : specifier.text
    imports.push({ target, typeOnly, late })
  }
  const visit = (node: ts.Node, late: boolean): void => {
    if (ts.isImportDeclaration(node))
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword, false)
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly, false)
    if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true, false)
    if (ts.isCallExpression(node) && isLoader(node.expression)) add(node.arguments[0], false, late)
    ts.forEachChild(node, (child) => visit(child, late || ts.isFunctionLike(node)))
  }
  visit(source, false)
  return {
    source,
    imports: imports.map((i) => ({
      ...i,
      target: i.target.startsWith('/') ? i.target.slice(1) : `=${i.target}`,
    })),
  }
}

function isLoader(callee: ts.Expression): boolean {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === 'require')
}

/** Packages carry a `=`, so that one called `pool` is not taken for the room. */
function isInside(target: string): boolean {
  return !target.startsWith('=')
}

function roomOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : path.replace(/\.ts$/, '')
}

function rowOf(room: string): number {
  return ROWS.findIndex((row) => row.includes(room))
}

function judgeEdge(path: string, target: string, tree: ReadonlyMap<string, string>): string[] {
  const [from, to] = [roomOf(path), roomOf(target)]
  const edge = `${from} > ${to}`
  if (!tree.has(target)) return [`${path}: ${target} does not exist`]
  if (from === to || SIDEWAYS.includes(edge)) return []
  if (rowOf(from) === rowOf(to)) return [`${path}: sideways, ${edge}`]
  if (rowOf(from) > rowOf(to)) return [`${path}: upward, ${edge}`]
  if (CONTRACT_ALONE.includes(from) && to !== 'contract')
    return [`${path}: ${from} imports contract alone, not ${to}`]
  return []
}

function judgePackage(path: string, { target, typeOnly, late }: Import): string[] {
  const name = target.slice(1)
  if (name.startsWith('node:')) return []
  if (!late && !typeOnly) return [`${path}: package ${name} is loaded with the module`]
  if (roomOf(path) === 'cli') return []
  // Whoever imports one of these has the package: its types are the shape that ours is to have.
  if (typeOnly && SHAPED_BY_PACKAGES.includes(roomOf(path))) return []
  // Our types would need theirs, and import() makes bundlers insist on a driver nobody installed.
  return [typeOnly ? `${path}: types of package ${name}` : `${path}: ${name} is loaded where bundlers see it`]
}

function judgeEngine(path: string, source: ts.SourceFile, imports: readonly Import[]): string[] {
  const found = imports
    .filter((i) => !isInside(i.target))
    .map((i) => `${path}: the engine imports ${i.target.slice(1)}`)
  const visit = (node: ts.Node): void => {
    if (node.kind === ts.SyntaxKind.AsyncKeyword || ts.isAwaitExpression(node))
      found.push(`${path}: the engine waits (async)`)
    if (ts.isIdentifier(node) && NOT_IN_ENGINE.has(node.text) && !isMemberName(node))
      found.push(`${path}: the engine uses ${node.text}`)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node
  if (ts.isPropertyAccessExpression(parent))
    return parent.name === node && !parent.expression.getText().startsWith('globalThis')
  return (
    (ts.isPropertyAssignment(parent) || ts.isTypeElement(parent) || ts.isClassElement(parent)) &&
    parent.name === node
  )
}

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = []
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path])
    if (done.has(path) || trail.includes(path)) return
    for (const next of graph.get(path) ?? []) walk(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  return found
}

/** A program in a document. */
export interface Block {
  /** Where it stands, for people: `README.md:12`. */
  readonly name: string
  readonly language: 'ts' | 'js'
  readonly code: string
  /** Why it is not meant to run as it stands; such a block is type-checked only. */
  readonly fragment: string | undefined
  /** What it prints, where the document says so: the `text` block behind it. */
  readonly output: string | undefined
  /** What happens to it from outside: `GET /users/1`, `SIGTERM`. */
  readonly steps: readonly string[]
  /** Packages that it imports, but for ours and Node's own. */
  readonly packages: readonly string[]
}

interface Fence {
  readonly line: number
  readonly info: string
  readonly text: string
  /** The comments right before it: `<!-- test: SIGTERM -->`. */
  readonly remarks: readonly string[]
  /** Lines of prose between it and the fence before. */
  readonly distance: number
}

/** The TypeScript and JavaScript blocks of a document in Markdown. */
export function blocksOf(path: string, markdown: string): Block[] {
  const fences = fencesOf(markdown)
  return fences.flatMap((fence, index) => {
    const [language, ...flags] = fence.info.split(' ')
    if (language !== 'ts' && language !== 'js') return []
    const name = `${path}:${fence.line}`
    const next = fences[index + 1]
    const reason = remark(fence, 'fragment')
    if (flags.includes('fragment') !== (reason !== undefined))
      throw new Error(`${name}: a fragment needs a reason, and only a fragment: <!-- fragment: why -->`)
    return {
      name,
      language,
      code: fence.text,
      fragment: reason,
      output: next?.info === 'text' && next.distance <= 1 ? next.text : undefined,
      steps: remark(fence, 'test')?.split(/,\s*/) ?? [],
      packages: packagesOf(fence.text),
    }
  })
}

/** The texts of all blocks in one language, such as the SQL that makes the tables of the examples. */
export function textsIn(markdown: string, language: string): string[] {
  return fencesOf(markdown)
    .filter(({ info }) => info === language)
    .map(({ text }) => text)
}

function fencesOf(markdown: string): Fence[] {
  const fences: Fence[] = []
  const lines = markdown.split('\n')
  let remarks: string[] = []
  let distance = 0
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string
    if (line.startsWith('```')) {
      const end = lines.indexOf('```', at + 1)
      if (end < 0) throw new Error(`line ${at + 1}: a block without an end`)
      fences.push({
        line: at + 1,
        info: line.slice(3),
        text: lines.slice(at + 1, end).join('\n'),
        remarks,
        distance,
      })
      at = end
      remarks = []
      distance = 0
    } else if (line.startsWith('<!--')) {
      remarks.push(line.slice(4, line.indexOf('-->')).trim())
    } else if (line.trim() !== '') {
      remarks = []
      distance++
    }
  }
  return fences
}

function remark({ remarks }: Fence, kind: string): string | undefined {
  return remarks
    .find((text) => text.startsWith(`${kind}:`))
    ?.slice(kind.length + 1)
    .trim()
}

function packagesOf(code: string): string[] {
  const specifiers = [...code.matchAll(/(?:\bfrom|\bimport|\brequire\()\s*'([^']+)'/g)].map(
    (match) => match[1] ?? '',
  )
  return [...new Set(specifiers)].filter((name) => !/^(rockpool(\/|$)|node:|\.)/.test(name))
}

import { committedFiles, read } from '../house/files.ts'
import { type Block, blocksOf, textsIn } from './blocks.ts'

/** The documents that are written for users. */
export const documents = committedFiles().filter((path) =>
  /^(README\.md|docs\/README\.md|docs\/(guide|reference)\/.*\.md)$/.test(path),
)

export const blocks: Block[] = documents.flatMap((path) => blocksOf(path, read(path)))

/** The tables of the examples. */
export const tables = textsIn(read('docs/README.md'), 'sql').join('\n')

/** Packages that are installed here in any case; what uses others is run by the lane `consumer`. */
const AT_HAND = ['pg']

const runnable = blocks.filter(({ fragment }) => fragment === undefined)
export const standalone = runnable.filter(({ packages }) => packages.every((name) => AT_HAND.includes(name)))
export const visiting = runnable.filter((block) => !standalone.includes(block))

import { TextBook } from '../../sql/text-book.ts'

/** Locks outlive the transaction, and even the statement that took them. */
const LOCKING_WORDS = new Set(['LOCK', 'HANDLER', 'FLUSH'])
/** Variables of the session that a query sets by the way, and a second statement in the same text. */
const BY_THE_WAY = /@\w+\s*:=|\binto\s+@|;\s*(?:set|use|lock|prepare|do|call|create\s+temporary)\b/i

const book = new TextBook()

/** Whether a statement leaves something in the session that the next borrower should not find. */
export function leavesTraces(text: unknown): boolean {
  if (typeof text !== 'string') return false
  const { reading } = book.look(text)
  return reading.taints || LOCKING_WORDS.has(reading.word) || (!reading.onlyReads && BY_THE_WAY.test(text))
}

/** What must be passed over as one: texts, names, comments. Then the words and signs that count. */
const TOKENS =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|\s+|[a-z_]\w*|;|[\s\S]/gi

/**
 * Whether a text holds more than one statement: of those, the libraries would run the first and forget the rest, or refuse.
 * The body of a trigger has semicolons of its own, up to its END.
 */
export function isScript(text: string): boolean {
  if (!text.includes(';')) return false
  let statement: string[] = []
  let ended = false
  for (const [token] of text.matchAll(TOKENS)) {
    if (/^(?:\s|--|\/\*)/.test(token)) continue
    if (token !== ';') {
      if (ended) return true
      // The first words tell a trigger, the last one its end.
      if (statement.length < 4) statement.push(token.toLowerCase())
      else statement[4] = token.toLowerCase()
      continue
    }
    if (statement.length === 0) continue
    if (isTrigger(statement) && statement[4] !== 'end') continue
    ended = true
    statement = []
  }
  return false
}

/** `create trigger`, `create temp trigger`, `explain create trigger`. */
function isTrigger(words: readonly string[]): boolean {
  return words.slice(0, 4).includes('create') && words.slice(0, 4).includes('trigger')
}

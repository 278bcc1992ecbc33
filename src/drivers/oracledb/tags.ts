/** What differs between a session as it is and as it shall be. */
export interface TagChange {
  readonly set: Readonly<Record<string, string>>
  /** Names that the session has and that are not wanted any more. */
  readonly unset: readonly string[]
}

/**
 * Reads labels as Oracle's session tags, `NLS_DATE_FORMAT=YYYY;TIME_ZONE=UTC`, and tells what is to be done to a session
 * that was last lent under one of them: for `onAcquire`, which gets both.
 */
export function tagChange(label: unknown, lastLabel: unknown): TagChange {
  const wanted = tagsOf(label)
  const present = tagsOf(lastLabel)
  return {
    set: Object.fromEntries([...wanted].filter(([name, value]) => present.get(name) !== value)),
    unset: [...present.keys()].filter((name) => !wanted.has(name)),
  }
}

function tagsOf(label: unknown): ReadonlyMap<string, string> {
  if (typeof label !== 'string') return new Map()
  const pairs = label.split(';').filter((pair) => pair.trim() !== '')
  return new Map(
    pairs.map((pair) => {
      const [name = '', ...value] = pair.split('=')
      return [name.trim(), value.join('=').trim()]
    }),
  )
}

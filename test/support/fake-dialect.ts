import {
  type Answer,
  FakeError,
  type FakeServer,
  type FakeSession,
  type FakeStatement,
} from '../../src/testing/index.ts'

interface Version {
  id: number
  note: unknown
  /** When it was written last, on the counter of all writes. */
  written: number
}

type Table = Map<number, Version>

/** Teaches a fake server enough SQL for the conformance suite: one table shape, and the simplest statements on it. */
export function teach(server: FakeServer): void {
  const tables = new Map<string, Table>()
  const locks = new Map<string, number>()
  const knows = new WeakMap<FakeSession, { begun: number; writes: number }>()
  let writes = 0

  const on = (pattern: RegExp, answer: (words: string[], statement: FakeStatement) => Answer | undefined) =>
    server.answer(pattern, (statement) => {
      const { session } = statement
      // The first statement of a transaction fixes what it knows of the others' writes.
      if (knows.get(session)?.begun !== session.begun) knows.set(session, { begun: session.begun, writes })
      return answer([...(pattern.exec(statement.sql) ?? [])].slice(1), statement) ?? []
    })

  const table = (name: string | undefined): Table => {
    const found = tables.get(name ?? '')
    if (found === undefined) throw new FakeError('statement', `no table "${name}"`)
    return found
  }

  on(/^select 1$/, () => [{ one: 1 }])
  on(/^echo \$1$/, (_, { params }) => [{ value: params[0] }])
  on(/^echo as text \$1$/, (_, { params }) => [{ value: String(params[0]) }])
  on(/^sleep (\d+)$/, ([ms]) => ({ takesMs: Number(ms) }))
  on(/^session$/, (_, { session }) => [{ id: session.id }])
  on(/^series (\d+)$/, ([count]) => ({ rows: series(Number(count), (n) => ({ n })) }))
  on(/^wide (\d+)$/, ([count]) => ({
    rows: series(Number(count), () => ({ pad: Buffer.alloc(1000) })),
  }))
  on(/^set (\w+) (\w+)$/, ([name = '', value = ''], { session }) => void session.settings.set(name, value))
  on(/^show (\w+)$/, ([name = ''], { session }) => [{ value: session.settings.get(name) ?? 'default' }])
  on(/^prepare (\w+)$/, ([name = ''], { session }) => void session.memory.set(name, []))
  on(/^(?:execute|read temporary) (\w+)$/, ([name = ''], { session }) => {
    return session.memory.has(name) ? [] : new FakeError('statement', `no "${name}" in this session`)
  })
  on(/^create temporary (\w+)$/, ([name = ''], { session }) => void session.memory.set(name, []))
  on(/^lock (\w+)$/, ([name = ''], { session }) => {
    locks.set(name, session.id)
    session.onEnd(() => locks.delete(name))
  })
  on(/^is free (\w+)$/, ([name = '']) => [{ free: !locks.has(name) }])
  on(/^isolation$/, (_, { session }) => [{ isolation: session.isolation ?? 'default' }])

  on(/^create table (\w+)/, ([name = '']) => void tables.set(name, new Map()))
  on(/^drop table (\w+)/, ([name = '']) => void tables.delete(name))
  on(/^alter table (\w+) add extra integer$/, ([name]) => {
    for (const row of table(name).values()) Object.assign(row, { extra: null })
  })
  on(/^insert into (\w+) \(id(?:, note)?\) values \((\$1|\d+)/, ([name, literal], { params, session }) => {
    const rows = table(name)
    const id = Number(literal === '$1' ? params[0] : literal)
    if (rows.has(id)) throw new FakeError('statement', `${id} is there already`, { code: 'DUPLICATE' })
    rows.set(id, { id, note: params[1] ?? null, written: ++writes })
    session.onRollback(() => rows.delete(id))
    return { rowCount: 1 }
  })
  on(/^update (\w+) set note = \$1( where id = \$2)?$/, ([name, one], { params, session }) => {
    const chosen = [...table(name).values()].filter((row) => one === undefined || row.id === params[1])
    for (const row of chosen) {
      const known = session.transaction === 'none' ? writes : (knows.get(session)?.writes ?? writes)
      if (row.written > known) throw new FakeError('conflict', 'somebody else was faster')
      const { note, written } = row
      Object.assign(row, { note: params[0], written: ++writes })
      session.onRollback(() => Object.assign(row, { note, written }))
    }
    return { rowCount: chosen.length }
  })
  on(
    /^select (.+) from (\w+)(?: where (\w+) (=|>) (\S+))?(?: order by id)?$/,
    ([columns = '', name, column, sign, operand], { params }) => {
      const wanted = operand?.startsWith('$') ? params[Number(operand.slice(1)) - 1] : Number(operand)
      const rows = [...table(name).values()].filter((row) => {
        if (column === undefined) return true
        const found = row[column as keyof Version]
        return sign === '=' ? found === wanted : Number(found) > Number(wanted)
      })
      if (columns.startsWith('count(*)')) return [{ n: rows.length }]
      return rows.map(({ written: _, ...row }) => {
        const visible: Record<string, unknown> = row
        return columns === '*' ? visible : Object.fromEntries(columns.split(', ').map((c) => [c, visible[c]]))
      })
    },
  )
  on(/^select cast\(note as integer\) as n from (\w+) where id = \$1$/, ([name], { params }) => {
    const n = Number(table(name).get(Number(params[0]))?.note)
    return Number.isNaN(n) ? new FakeError('statement', 'that is no number') : [{ n }]
  })
}

function* series<T>(count: number, row: (n: number) => T): Generator<T> {
  for (let n = 1; n <= count; n++) yield row(n)
}

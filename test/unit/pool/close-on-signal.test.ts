import { describe, expect, type TestContext, test, vi } from 'vitest'
import { type ClosingSignal, closeOnSignal } from '../../../src/pool/close-on-signal.ts'

/** A pool whose drain ends when the test says so. */
function pool() {
  let end: () => void = () => {}
  let closes = 0
  const close = () => {
    closes++
    return new Promise<never>((resolve) => {
      end = () => resolve(undefined as never)
    })
  }
  return { close, end: () => end(), closes: () => closes }
}

/** Signals are only played: the process hears of them, and nobody ends it. */
function played({ onTestFinished }: TestContext, ...signals: ClosingSignal[]) {
  const kills: unknown[] = []
  const kill = vi.spyOn(process, 'kill').mockImplementation((_, signal) => {
    kills.push(signal)
    return true
  })
  const others = signals.map((signal) => [signal, process.listeners(signal)] as const)
  for (const signal of signals) process.removeAllListeners(signal)
  onTestFinished(() => {
    kill.mockRestore()
    for (const [signal, listeners] of others) for (const one of listeners) process.on(signal, one)
  })
  const turn = () => new Promise((resolve) => setTimeout(resolve, 0))
  return {
    kills,
    send: async (signal: ClosingSignal) => {
      process.emit(signal)
      await turn()
    },
    turn,
  }
}

describe('closeOnSignal', () => {
  test('says what it takes', () => {
    expect(() => closeOnSignal({} as never)).toThrow(/pool/)
    expect(() => closeOnSignal(undefined as never)).toThrow(/pool/)
  })

  test('drains all pools at the first signal, then ends the process as it would have', async (context) => {
    const { kills, send, turn } = played(context, 'SIGTERM', 'SIGINT')
    const [one, other] = [pool(), pool()]
    closeOnSignal(one)
    closeOnSignal(other)
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual([1, 1])
    await send('SIGTERM')
    expect([one.closes(), other.closes(), kills]).toEqual([1, 1, []])
    one.end()
    await turn()
    expect(kills).toEqual([])
    other.end()
    await turn()
    expect(kills).toEqual(['SIGTERM'])
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual([0, 1])
    await send('SIGINT')
    one.end()
    other.end()
    await turn()
    expect(kills).toEqual(['SIGTERM', 'SIGINT'])
  })

  test('begins anew for a pool that comes after a drain', async (context) => {
    const { kills, send, turn } = played(context, 'SIGHUP')
    for (const expected of [1, 2]) {
      const one = pool()
      closeOnSignal(one, ['SIGHUP'])
      expect(process.listenerCount('SIGHUP')).toBe(1)
      await send('SIGHUP')
      one.end()
      await turn()
      expect([one.closes(), kills.length]).toEqual([1, expected])
    }
  })

  test('leaves the end to who has a handler of his own', async (context) => {
    const { kills, send, turn } = played(context, 'SIGHUP')
    const own = () => {}
    process.on('SIGHUP', own)
    const one = pool()
    closeOnSignal(one, ['SIGHUP'])
    await send('SIGHUP')
    one.end()
    await turn()
    expect([kills, process.listeners('SIGHUP')]).toEqual([[], [own]])
    process.off('SIGHUP', own)
  })

  test('leaves the end to a handler of his own that is called only once, wherever it stands', async (context) => {
    const { kills, send, turn } = played(context, 'SIGHUP')
    for (const order of ['before', 'after']) {
      let heard = 0
      const own = () => heard++
      const one = pool()
      if (order === 'before') process.once('SIGHUP', own)
      closeOnSignal(one, ['SIGHUP'])
      if (order === 'after') process.once('SIGHUP', own)
      await send('SIGHUP')
      one.end()
      await turn()
      expect([order, heard, kills, process.listenerCount('SIGHUP')]).toEqual([order, 1, [], 0])
    }
  })

  test('ends at a second signal also where the first was for a handler that is called only once', async (context) => {
    const { kills, send } = played(context, 'SIGHUP')
    process.once('SIGHUP', () => {})
    closeOnSignal(pool(), ['SIGHUP'])
    await send('SIGHUP')
    expect(kills).toEqual([])
    await send('SIGHUP')
    expect(kills).toEqual(['SIGHUP'])
  })

  test('asked twice for one pool, can be undone once: it is still asked', async (context) => {
    const { send, turn } = played(context, 'SIGHUP')
    const one = pool()
    closeOnSignal(one, ['SIGHUP'])()
    closeOnSignal(one, ['SIGHUP'])
    closeOnSignal(one, ['SIGHUP'])()
    await send('SIGHUP')
    expect(one.closes()).toBe(1)
    one.end()
    await turn()
  })

  test('ends the process although something that it closes fails', async (context) => {
    const { kills, send, turn } = played(context, 'SIGHUP')
    const fails = () => {
      throw new Error('no')
    }
    closeOnSignal({ close: fails }, ['SIGHUP'])
    await send('SIGHUP')
    await turn()
    expect(kills).toEqual(['SIGHUP'])
  })

  test('does not wait for the drain when a second signal comes', async (context) => {
    const { kills, send, turn } = played(context, 'SIGHUP')
    const one = pool()
    closeOnSignal(one, ['SIGHUP'])
    await send('SIGHUP')
    expect(kills).toEqual([])
    await send('SIGHUP')
    expect([kills, one.closes()]).toEqual([['SIGHUP'], 1])
    one.end()
    await turn()
  })

  test('can be undone, for each pool on its own; the last takes the handler away', async (context) => {
    const { send, kills, turn } = played(context, 'SIGHUP')
    const [one, other] = [pool(), pool()]
    const [undoOne, undoOther] = [one, other].map((each) => closeOnSignal(each, ['SIGHUP'])) as [
      () => void,
      () => void,
    ]
    undoOne()
    expect(process.listenerCount('SIGHUP')).toBe(1)
    undoOther()
    expect(process.listenerCount('SIGHUP')).toBe(0)
    closeOnSignal(other, ['SIGHUP'])
    await send('SIGHUP')
    expect([one.closes(), other.closes()]).toEqual([0, 1])
    other.end()
    await turn()
    expect(kills).toEqual(['SIGHUP'])
  })

  test('that is undone during the drain changes nothing any more', async (context) => {
    const { send, kills, turn } = played(context, 'SIGHUP')
    const one = pool()
    const undo = closeOnSignal(one, ['SIGHUP'])
    await send('SIGHUP')
    undo()
    expect(process.listenerCount('SIGHUP')).toBe(1)
    one.end()
    await turn()
    expect(kills).toEqual(['SIGHUP'])
  })
})

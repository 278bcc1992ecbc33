import { describe, expect, test } from 'vitest'
import { engineAlone } from '../../support/engine.ts'

/** All connections are lent, to callers who want one for themselves; then one such caller and one who shares wait. */
function scene({ max = 4, priority = 0 } = {}) {
  const { engine, lent, wait, settled, pass } = engineAlone({ max })
  const slots = Array.from({ length: max }, () => lent())
  const alone = wait({ priority })
  const sharing = wait({ shares: true })
  return {
    engine,
    pass,
    slots,
    /** Who is served when a connection comes back. */
    served: () => {
      engine.read()
      engine.release(slots[0] as (typeof slots)[number])
      return [settled.has(alone), settled.has(sharing)]
    },
  }
}

const ALONE = [true, false]
const SHARING = [false, true]

describe('of four connections or more, one that comes back', () => {
  test('goes to who would share it while none is shared, although others came before', () => {
    expect(scene().served()).toEqual(SHARING)
  })

  test('goes to who came first where there are fewer', () => {
    expect(scene({ max: 3 }).served()).toEqual(ALONE)
  })

  test('goes to who came first while statements share another one', () => {
    const { engine, slots, served } = scene()
    engine.share(slots[3] as (typeof slots)[number])
    expect(served()).toEqual(ALONE)
  })

  test('goes to who came first once none of them has been served for a tenth of a second', () => {
    const { pass, served } = scene()
    pass(100)
    expect(served()).toEqual(ALONE)
  })

  test('goes to who would share it until then', () => {
    const { pass, served } = scene()
    pass(99)
    expect(served()).toEqual(SHARING)
  })

  test('goes to who is more urgent', () => {
    expect(scene({ priority: 1 }).served()).toEqual(ALONE)
  })
})

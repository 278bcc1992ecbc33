import type { ResizeOptions } from '../../contract/options.ts'
import type { Random } from '../random.ts'
import type { Act } from './acts-lease.ts'
import { ticketFor } from './borrow.ts'
import type { Stage } from './stage.ts'

/** What is done to the pool as a whole. */
export const poolActs: Record<string, Act> = {
  resize(stage, caller, random) {
    const change = drawResize(stage, random)
    stage.call('resize', caller)
    stage.resize(change)
  },

  refresh(stage, caller) {
    stage.call('refresh', caller)
    stage.parts.ledger.fitness.refreshed()
    stage.parts.pool.refresh()
  },

  async suspend(stage, caller, random) {
    const { pool, ledger } = stage.parts
    stage.call('suspend', caller)
    if (stage.suspensions++ === 0) ledger.fitness.suspended(true)
    pool.suspend()
    await stage.sleep(random.between(0, 100))
    if (--stage.suspensions > 0) return
    stage.call('resume', caller)
    ledger.fitness.suspended(false)
    pool.resume()
  },

  async ready(stage, caller, random) {
    const { pool, tickets, ledger, law } = stage.parts
    stage.call('ready', caller)
    const timeoutMs = random.between(0.1, 200)
    const signal = random.chance(0.3) ? stage.signal(random.between(0, 50)) : undefined
    const wish = { options: { timeoutMs }, signal }
    const ticket = ticketFor(stage, caller, wish, { acquires: false })
    try {
      await pool.ready({ timeoutMs, ...(signal && { signal: signal.asSignal }) })
      const { min = 0 } = stage.parts.options
      const { openLately } = ledger
      law.demand(openLately >= Math.max(1, min), 'ready when it is', () => `${openLately} of ${min}`)
      tickets.done(ticket)
    } catch (error) {
      tickets.refused(ticket, error)
    }
  },

  'wanted permit'(stage, caller) {
    stage.call('permit wanted', caller)
    stage.parts.budget?.want()
  },

  stats(stage, caller) {
    stage.call('stats', caller)
    stage.parts.pool.stats()
  },

  async listen(stage, caller, random) {
    const { pool, law } = stage.parts
    stage.call('on', caller)
    let isListening = true
    let heard = 0
    const always = () => law.demand(isListening, 'off is off', () => 'acquire')
    const once = () => law.demand(isListening && ++heard === 1, 'once is once', () => `${heard}`)
    pool.on('acquire', always).once('release', once)
    await stage.sleep(random.between(0, 100))
    pool.off('acquire', always).off('release', once)
    isListening = false
  },
}

function drawResize(stage: Stage, random: Random): ResizeOptions {
  const { min = 0, max = 10 } = stage.parts.options
  const change: ResizeOptions = {}
  if (random.chance(0.6)) change.max = Math.max(min, 1, max + random.integer(-3, 3))
  if (random.chance(0.2)) change.maxOverflow = random.integer(0, 3)
  if (random.chance(0.2))
    change.min = random.integer(0, Math.min(change.max ?? max, stage.parts.options.maxIdle ?? 99))
  if (random.chance(0.1)) change.maxIdle = random.integer(change.min ?? min, change.max ?? max)
  if (random.chance(0.2)) change.acquireTimeoutMs = random.pick([20, 1_000, 10_000])
  if (random.chance(0.2)) change.validateAfterIdleMs = random.pick([0, 10, 1_000])
  if (random.chance(0.2)) change.idleTimeoutMs = random.pick([10, 1_000])
  if (random.chance(0.2)) change.maxLifetimeMs = random.pick([100, 5_000])
  return change
}

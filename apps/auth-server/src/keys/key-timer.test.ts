import { createLogger } from '@deputy/serve'
import { expect, test, vi } from 'vitest'
import { startKeyTimer } from './key-timer.ts'

const logger = createLogger({ name: 'auth-server', level: 'silent' })

/** A tick that the test finishes by hand. */
function createTick() {
  const begun = Promise.withResolvers<void>()
  const finish = Promise.withResolvers<void>()
  const tick = vi.fn(async () => {
    begun.resolve()
    await finish.promise
  })
  return { tick, begun: begun.promise, finish: finish.resolve }
}

test('ticks again and again, also after a tick that failed, which is logged', async () => {
  const third = Promise.withResolvers<void>()
  const failure = new Error('the database is away')
  let ticks = 0
  const tick = async (): Promise<void> => {
    ticks += 1
    if (ticks === 1) throw failure
    if (ticks === 3) third.resolve()
  }
  const logged = vi.spyOn(logger, 'error')

  await using _timer = startKeyTimer({ keyRing: { tick }, logger, everyMs: 1 })
  await third.promise

  expect(logged.mock.calls).toEqual([
    [{ err: failure }, 'the signing keys could not be brought up to date'],
  ])
})

test('waits for the tick that is under way before it ends, and ticks no more', async () => {
  const { begun, finish, tick } = createTick()
  const timer = startKeyTimer({ keyRing: { tick }, logger, everyMs: 1 })
  await begun
  const events: string[] = []
  const scheduled = vi.spyOn(globalThis, 'setTimeout')

  const ended = timer[Symbol.asyncDispose]().then(() => events.push('ended'))
  await Promise.resolve()
  events.push('finishing')
  finish()
  await ended

  expect(events).toEqual(['finishing', 'ended'])
  expect(tick).toHaveBeenCalledTimes(1)
  expect(scheduled).not.toHaveBeenCalled()
})

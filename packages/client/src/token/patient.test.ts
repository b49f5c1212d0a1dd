import { expect, test } from 'vitest'
import { createTimedClock } from '../../../../test/support/settable-clock.ts'
import { ClientError } from '../error/client-error.ts'
import { patiently } from './patient.ts'

const down = (retryAfterSeconds?: number) =>
  new ClientError({ code: 'token_unavailable', message: 'nobody answers', retryAfterSeconds })
const refused = new ClientError({ code: 'token_refused', message: 'no' })

/** Asks, with all the time that it takes; says in which second each question came. */
async function run(answers: readonly (ClientError | 'token')[]) {
  const clock = createTimedClock()
  const start = clock.now()
  const askedAt: number[] = []
  const ended = new AbortController()
  const asking = patiently(
    async () => {
      askedAt.push(clock.now() - start)
      const answer = answers[askedAt.length - 1]
      if (answer instanceof ClientError) throw answer
      return answer
    },
    { clock, random: () => 0.5 },
  )
    .catch((error: unknown) => error)
    .finally(() => ended.abort())
  while (!ended.signal.aborted) {
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(1)
  }
  return { askedAt, outcome: await asking }
}

test('an authorization server that is there is asked once', async () => {
  expect(await run(['token'])).toEqual({ askedAt: [0], outcome: 'token' })
})

test('one that restarts is asked again, twice at most', async () => {
  const back = await run([down(), down(), 'token'])
  const gone = await run([down(), down(), down(), 'token'])

  expect([back.outcome, back.askedAt.length]).toEqual(['token', 3])
  expect(gone.outcome).toMatchObject({ code: 'token_unavailable' })
  expect(gone.askedAt).toHaveLength(3)
})

test('what it refused is not asked for again', async () => {
  expect(await run([refused, 'token'])).toEqual({ askedAt: [0], outcome: refused })
})

test('it is left alone for as long as it said, if that is not long', async () => {
  const soon = await run([down(4), 'token'])
  const late = await run([down(6), 'token'])

  expect(soon.outcome).toBe('token')
  expect(soon.askedAt[1]).toBeGreaterThanOrEqual(4)
  expect(late).toMatchObject({ askedAt: [0], outcome: { retryAfterSeconds: 6 } })
})

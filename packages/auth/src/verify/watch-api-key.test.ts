import { expect, test } from 'vitest'
import { createAlice } from '../../../../test/support/alice.ts'
import type { Principal } from '../principal.ts'
import { accept, refuse, type Result } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import type { ApiKeyRefusal } from './api-key-verifier.ts'
import { watchApiKey } from './watch-api-key.ts'

const alice = createAlice({
  scopes: ['billing:read', 'billing:write'],
  expiresAt: undefined,
  grantPath: ['api-key-1'],
  credential: { kind: 'api_key', id: 'api-key-1' },
})

/** A watch over Alice's key, of which the verifier says this when something changes. */
function createHarness(verify: () => Promise<Result<Principal, ApiKeyRefusal>>) {
  const ended: CredentialRefusal[] = []
  const watched: (number | undefined)[] = []
  const ends = new Set<(refusal: CredentialRefusal) => void>()
  let change: (() => Promise<void>) | undefined
  const stop = watchApiKey(
    alice,
    {
      verify,
      watchChanges(_, onChange) {
        change = onChange
        return () => (change = undefined)
      },
      watchEnd({ expiresAt }, onEnd) {
        watched.push(expiresAt)
        ends.add(onEnd)
        return () => ends.delete(onEnd)
      },
    },
    (refusal) => void ended.push(refusal),
  )
  return {
    ended,
    watched,
    stop,
    deny: () => {
      for (const end of ends) end({ reason: 'token_revoked' })
    },
    /** What was told of a change, and waits for its turn. */
    waiting: () => ({ change }),
    isWatched: () => change !== undefined || ends.size > 0,
    async change() {
      await change?.()
    },
  }
}

test.each<[string, Result<Principal, ApiKeyRefusal>, string]>([
  ['is not good any more', refuse({ reason: 'api_key_invalid' }), 'api_key_invalid'],
  ['may do less', accept({ ...alice, scopes: ['billing:read'] }), 'token_revoked'],
  [
    'is held to a limit',
    accept({ ...alice, limits: [{ type: 'calls', max: 1, identifier: 'a' }] }),
    'token_revoked',
  ],
  [
    'cannot be asked about',
    refuse({ reason: 'rate_limited', retryAfterSeconds: 1 }),
    'verifier_unavailable',
  ],
])('a key that %s ends what is under way, once', async (_what, answer, reason) => {
  const harness = createHarness(async () => answer)

  await harness.change()
  await harness.change()

  expect(harness.ended.map((refusal) => refusal.reason)).toEqual([reason])
  expect(harness.isWatched()).toBe(false)
})

test('a key that is denied ends it as the next call would be refused', () => {
  const harness = createHarness(async () => accept(alice))

  harness.deny()

  expect([harness.ended, harness.isWatched()]).toEqual([[{ reason: 'api_key_invalid' }], false])
})

test('whoever fails to answer ends it, too, and no process', async () => {
  const harness = createHarness(async () => Promise.reject(new Error('out of order')))

  await harness.change()

  expect(harness.ended).toMatchObject([{ reason: 'verifier_unavailable' }])
})

test('a key that may do more, or is counted otherwise, ends nothing', async () => {
  const more = { ...alice, scopes: [...alice.scopes, 'billing:close'], rateLimitTier: 'low' }
  const harness = createHarness(async () => accept(more))

  await harness.change()

  expect(harness.ended).toEqual([])
})

test('a key that has an end now is watched for that one', async () => {
  const harness = createHarness(async () => accept({ ...alice, expiresAt: 1_800_000_030 }))

  await harness.change()
  await harness.change()

  expect(harness.watched).toEqual([undefined, 1_800_000_030])
})

test('nobody is told who has stopped, also where the answer was on its way', async () => {
  const answer = Promise.withResolvers<Result<Principal, ApiKeyRefusal>>()
  const harness = createHarness(async () => answer.promise)
  const changed = harness.change()

  harness.stop()
  answer.resolve(refuse({ reason: 'api_key_invalid' }))
  await changed

  expect([harness.ended, harness.isWatched()]).toEqual([[], false])
})

test('nobody is asked about who has stopped before it was its turn', async () => {
  let asked = 0
  const harness = createHarness(async () => {
    asked += 1
    return accept(alice)
  })
  const { change } = harness.waiting()

  harness.stop()
  await change?.()

  expect(asked).toBe(0)
})

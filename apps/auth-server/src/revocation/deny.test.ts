// What was ended stays ended for whoever is lenient about the time. Attack: a token that was revoked is used again in
// the seconds after its end, in which agents still take it, and remember no more that it was revoked.
import {
  createAccessTokenVerifier,
  createLocalSigningKeySource,
  createRevocationView,
} from '@deputy/auth'
import { describe, expect, test } from 'vitest'
import {
  createSigningPair,
  goodClaims,
  ISSUER,
  signToken,
} from '../../../../test/support/test-issuer.ts'
import { MAX_ACCESS_TOKEN_TTL_SECONDS } from '../agents/agent.ts'
import { START_AT } from '../../test-support/clock.ts'
import { createStorage, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { MAX_CLOCK_TOLERANCE_SECONDS } from '../keys/key-schedule.ts'
import type { Stores } from '../storage/stores.ts'
import { denyAgent, denyCredential, denyToken } from './deny.ts'

const ENDS_AT = START_AT + MAX_ACCESS_TOKEN_TTL_SECONDS

const ACTS: Readonly<Record<string, (stores: Stores) => Promise<unknown>>> = {
  token: async (stores) => denyToken(stores, { jti: 'id', expiresAt: ENDS_AT }, START_AT),
  credential: async (stores) => denyCredential(stores, 'id', START_AT),
  agent: async (stores) => denyAgent(stores, 'id', START_AT),
}

describe.each(STORAGE_ADAPTERS)('what was denied in $name', (adapter) => {
  test.each(Object.entries(ACTS))(
    'is told for as long as anybody may take a token that stands on it: a %s',
    async (_what, act) => {
      await using storage = await createStorage(adapter)
      await storage.act(async (stores) => act(stores))
      const last = ENDS_AT + MAX_CLOCK_TOLERANCE_SECONDS

      await storage.revocations.prune(last - 1)

      expect(await storage.revocations.listAfter(0, 10)).toMatchObject([{ id: 'id' }])
    },
  )
})

test('a token that an agent still takes is denied there until it takes it no more', async () => {
  const [adapter] = STORAGE_ADAPTERS
  if (adapter === undefined) throw new TypeError('there is a store')
  await using storage = await createStorage(adapter)
  const clock = { now: () => now }
  let now = START_AT
  const pair = await createSigningPair('key-1')
  const claims = goodClaims(START_AT)
  const token = await signToken(pair, claims)
  const verifier = createAccessTokenVerifier({
    issuer: ISSUER,
    audience: 'agent-billing-v2',
    keys: createLocalSigningKeySource({ keys: [pair.publicJwk] }),
    clockToleranceSeconds: MAX_CLOCK_TOLERANCE_SECONDS,
    clock,
  })
  const view = createRevocationView({ clock })
  const jti = String(claims.jti)
  const expiresAt = Number(claims.exp)
  await storage.act(async (stores) => denyToken(stores, { jti, expiresAt }, START_AT))

  for (const late of [0, 1, 59, 119, MAX_CLOCK_TOLERANCE_SECONDS - 1]) {
    now = expiresAt + late
    await storage.revocations.prune(now)
    // As somebody hears it who has just begun to listen.
    view.beginSnapshot()
    view.apply((await storage.revocations.listAfter(0, 10)).filter(({ kind }) => kind !== 'change'))
    view.heard()
    const verified = await verifier.verify(token)

    expect([late, verified.ok && view.isDenied(verified.value)]).toEqual([late, true])
  }
  now = expiresAt + MAX_CLOCK_TOLERANCE_SECONDS
  expect(await verifier.verify(token)).toMatchObject({ ok: false })
})

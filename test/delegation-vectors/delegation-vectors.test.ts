// The vectors against Deputy's own authorization server.
import { expect, test } from 'vitest'
import { connectAdmin, enroll } from '../../apps/auth-server/test-support/admin-client.ts'
import { startAuthServer } from '../../apps/auth-server/test-support/auth-server.ts'
import { systemClock } from '@deputy/auth/protocol'
import { createSettableClock } from '../support/settable-clock.ts'
import { readVectors, readVectorWorld } from './read-vectors.ts'
import { runVector } from './run-vector.ts'

const vectors = await readVectors()

test('every vector has an id of its own', () => {
  expect(new Set(vectors.map(({ id }) => id)).size).toBe(vectors.length)
})

test.each(vectors)('$id: $title', async (vector) => {
  const world = await readVectorWorld()
  await using server = await startAuthServer({ clock: createSettableClock(systemClock.now()) })
  await using operator = connectAdmin(server)
  const { authorizationDetailsTypes, scopesSupported } = world
  const secrets: Record<string, string> = {}
  for (const { id, ...settings } of world.agents) {
    const { secret } = await enroll(operator, id, {
      ...settings,
      scopesSupported,
      authorizationDetailsTypes,
    })
    secrets[id] = secret
  }

  const { faults } = await runVector({ issuer: server.issuer, secrets }, vector)

  expect(faults).toEqual([])
})

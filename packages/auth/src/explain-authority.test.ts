import { expect, test } from 'vitest'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { explainAuthority } from './explain-authority.ts'
import type { Principal } from './principal.ts'

const clock = createSettableClock()
const DELEGATED: Principal = {
  agentId: 'agent-billing-v2',
  subject: 'agent-alice-v1',
  audience: 'agent-research-v1',
  scopes: ['research:read'],
  priorActors: ['agent-research-v1'],
  expiresAt: clock.now() + 60,
  grantPath: ['secret-1', 'task-1', 'token-1'],
  limits: [],
  credential: { kind: 'access_token', id: 'token-1' },
}

test('says whose authority it is, who acts, what it stands on and what is missing', () => {
  const requiredScopes = ['research:read', 'research:write']

  expect(explainAuthority(DELEGATED, { clock, requiredScopes })).toEqual({
    subject: 'agent-alice-v1',
    actors: ['agent-billing-v2', 'agent-research-v1'],
    grantPath: ['secret-1', 'task-1', 'token-1'],
    scopes: ['research:read'],
    limits: [],
    missingScopes: ['research:write'],
    isInTime: true,
    expiresInSeconds: 60,
  })
})

test('is over in the second of its expiry', () => {
  const over = explainAuthority({ ...DELEGATED, expiresAt: clock.now() }, { clock })

  expect(over).toMatchObject({ isInTime: false, expiresInSeconds: 0 })
})

test('of one that acts for itself, and has no end, names no actor and no time', () => {
  const own = { ...DELEGATED, agentId: 'agent-alice-v1', priorActors: [], expiresAt: undefined }

  expect(explainAuthority(own, { clock })).toMatchObject({
    actors: [],
    isInTime: true,
    expiresInSeconds: undefined,
  })
})

import { describe, expect, test, vi } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import type { Principal } from '../principal.ts'
import { accept, refuse, type IntrospectionResponse } from '../protocol/index.ts'
import type { Introspect } from '../verify/introspect.ts'
import { createRevocationCheck, type StalenessPolicy } from './revocation-check.ts'
import { createRevocationView } from './revocation-view.ts'

const NOW = 1_800_000_000

const principal: Principal = {
  agentId: 'agent-bob',
  subject: 'agent-alice',
  audience: 'agent-carol',
  scopes: [],
  priorActors: [],
  expiresAt: NOW + 900,
  grantPath: ['token-1'],
  limits: [],
  credential: { kind: 'access_token', id: 'token-1' },
}

const active: IntrospectionResponse = {
  active: true,
  token_type: 'Bearer',
  iss: 'https://issuer.example',
  sub: 'agent-alice',
  aud: 'agent-carol',
  client_id: 'agent-bob',
  jti: 'token-1',
  scope: '',
  iat: NOW,
}

type Answer = Awaited<ReturnType<Introspect>>

const ANSWERS: Readonly<Record<'active' | 'inactive' | 'none', Answer>> = {
  active: accept(active),
  inactive: accept({ active: false }),
  none: refuse({ reason: 'verifier_unavailable', detail: 'nobody there' }),
}

function createHarness(policy: StalenessPolicy = {}) {
  const clock = createSettableClock(NOW)
  const view = createRevocationView({ clock })
  const introspect = vi.fn<Introspect>(async () => ANSWERS.none)
  const revocations = createRevocationCheck({ ...policy, view, introspect, clock })
  const ask = async () => {
    const result = await revocations.check(principal, 'a.b.c')
    return result.ok ? 'accepted' : result.refusal.reason
  }
  return { clock, view, introspect, ask }
}

describe('a verified caller', () => {
  test.each([
    { age: 0, answer: 'inactive', result: 'accepted', asked: 0 },
    { age: 60, answer: 'inactive', result: 'accepted', asked: 0 },
    { age: 61, answer: 'active', result: 'accepted', asked: 1 },
    { age: 61, answer: 'inactive', result: 'token_revoked', asked: 1 },
    { age: 61, answer: 'none', result: 'accepted', asked: 1 },
    { age: 360, answer: 'none', result: 'accepted', asked: 1 },
    { age: 361, answer: 'none', result: 'verifier_unavailable', asked: 1 },
    { age: 361, answer: 'active', result: 'accepted', asked: 1 },
  ] as const)(
    'is $result with a view of $age s, where introspection says $answer',
    async ({ age, answer, asked, result }) => {
      const { ask, clock, introspect, view } = createHarness()
      view.heard()
      clock.advance(age)
      introspect.mockResolvedValue(ANSWERS[answer])

      expect(await ask()).toBe(result)
      expect(introspect).toHaveBeenCalledTimes(asked)
    },
  )

  test('is asked about, without grace, as long as nothing was ever heard', async () => {
    const { ask, introspect } = createHarness()

    expect(await ask()).toBe('verifier_unavailable')
    introspect.mockResolvedValue(ANSWERS.active)
    expect(await ask()).toBe('accepted')
  })

  test('is refused once the view denies it, however old the view is', async () => {
    const { ask, clock, introspect, view } = createHarness()
    view.heard()
    view.apply([{ kind: 'grant', id: 'token-1', expiresAt: NOW + 900 }])
    introspect.mockResolvedValue(ANSWERS.active)

    expect(await ask()).toBe('token_revoked')
    clock.advance(600)
    expect(await ask()).toBe('token_revoked')
    expect(introspect).not.toHaveBeenCalled()
  })

  test('is refused at once where the operator gives no grace', async () => {
    const { ask, clock, view } = createHarness({ maxStalenessSeconds: 10, graceSeconds: 0 })
    view.heard()

    clock.advance(10)
    expect(await ask()).toBe('accepted')
    clock.advance(1)
    expect(await ask()).toBe('verifier_unavailable')
  })
})

import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { AccessToken } from './access-token.ts'
import { createTokenManager, type TokenPurpose } from './token-manager.ts'

const PURPOSE: TokenPurpose = {
  issuer: 'https://issuer.example',
  clientId: 'agent-alice-v1',
  audience: 'agent-billing-v2',
  resource: undefined,
  scopes: ['billing:read', 'billing:write'],
  grant: 'client_credentials',
  keyThumbprint: undefined,
}

function createHarness(maxTokens?: number) {
  const clock = createSettableClock()
  const manager = createTokenManager({ clock, maxTokens, random: () => 0 })
  let requests = 0
  const requestToken = async (): Promise<AccessToken> => {
    requests += 1
    const [requestedAt, expiresAt] = [clock.now(), clock.now() + 900]
    const facts = { type: 'Bearer', scopes: [], requestedAt, expiresAt } as const
    return AccessToken.create(`token-${String(requests)}`, facts)
  }
  return {
    clock,
    manager,
    requests: () => requests,
    get: async (changes: Partial<TokenPurpose> = {}) =>
      (await manager.getToken({ ...PURPOSE, ...changes }, requestToken)).reveal(),
  }
}

describe('one token serves', () => {
  test('every caller that wants it for the same purpose', async () => {
    const { get, requests } = createHarness()

    const tokens = await Promise.all(Array.from({ length: 1000 }, async () => get()))

    expect(new Set(tokens)).toEqual(new Set(['token-1']))
    expect(requests()).toBe(1)
  })

  test('whoever names the same scopes in another order, or twice', async () => {
    const { get } = createHarness()

    expect(await get()).toBe(
      await get({ scopes: ['billing:write', 'billing:read', 'billing:read'] }),
    )
  })

  test.each<[string, Partial<TokenPurpose>]>([
    ['another issuer', { issuer: 'https://other.example' }],
    ['another client', { clientId: 'agent-bob-v1' }],
    ['another agent', { audience: 'agent-research-v1' }],
    ['an agent by its URL', { audience: undefined, resource: 'agent-billing-v2' }],
    ['fewer scopes', { scopes: ['billing:read'] }],
    ['another subject or grant', { grant: 'exchange of another token' }],
    ['another key', { keyThumbprint: 'thumbprint' }],
  ])('but not %s', async (_what, changes) => {
    // Attack prevented: a token with one authority, sent where another was meant.
    const { get } = createHarness()

    expect(await get()).not.toBe(await get(changes))
  })
})

test('tokens that nobody used for longest go first, and the others stay', async () => {
  const { get, manager, requests } = createHarness(2)
  const of = (audience: string) => ({ audience })
  await get(of('a'))
  await get(of('b'))
  // A look counts as use.
  manager.peek({ ...PURPOSE, ...of('a') })

  await get(of('c'))

  expect(manager.peek({ ...PURPOSE, ...of('a') })?.reveal()).toBe('token-1')
  expect(manager.peek({ ...PURPOSE, ...of('b') })).toBeUndefined()
  expect(requests()).toBe(3)
})

describe('a look', () => {
  test('gives what is good now, and asks for nothing', async () => {
    const { clock, get, manager, requests } = createHarness()
    const before = manager.peek(PURPOSE)
    await get()

    const after = manager.peek(PURPOSE)
    clock.advance(840)

    // Due for renewal: whoever wants it has to ask, so that somebody renews it.
    expect([before, after?.reveal(), manager.peek(PURPOSE)]).toEqual([
      undefined,
      'token-1',
      undefined,
    ])
    expect(requests()).toBe(1)
  })
})

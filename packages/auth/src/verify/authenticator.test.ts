import { describe, expect, test, vi } from 'vitest'
import { createAlice } from '../../../../test/support/alice.ts'
import type { Principal } from '../principal.ts'
import { accept, createAgentSecret, refuse, type Result } from '../protocol/index.ts'
import type { CredentialRefusal } from '../refusal.ts'
import { createAuthenticator } from './authenticator.ts'

type Verified = Result<Principal, CredentialRefusal>

const alice = createAlice({ scopes: [] })

function createHarness(takesApiKeys = true) {
  const token = { verify: vi.fn<(text: string) => Promise<Verified>>(async () => accept(alice)) }
  const key = { verify: vi.fn<(text: string) => Promise<Verified>>(async () => accept(alice)) }
  const checkTime = vi.fn<(principal: Principal) => Verified>((principal) => accept(principal))
  const authenticator = createAuthenticator({
    accessTokens: { ...token, checkTime },
    apiKeys: takesApiKeys ? key : undefined,
  })
  const authenticate = async (headers: Record<string, string>) =>
    authenticator.authenticate((name) => headers[name])
  return { authenticate, token, key, checkTime }
}

const expired = refuse({ reason: 'token_expired', expiredAt: 1 })

describe('the authenticator', () => {
  test('sends each kind of credential to its own verifier', async () => {
    const { authenticate, key, token } = createHarness()
    const apiKey = createAgentSecret('apiKey')

    await authenticate({ authorization: 'Bearer a.b.c' })
    await authenticate({ authorization: `Bearer ${apiKey}` })
    await authenticate({ 'x-api-key': apiKey })

    expect(token.verify.mock.calls).toEqual([['a.b.c']])
    expect(key.verify.mock.calls.map(([text]) => text)).toEqual([apiKey, apiKey])
  })

  test.each([
    [{}, 'credentials_missing'],
    [{ authorization: 'Basic YTpi' }, 'credentials_malformed'],
    [{ authorization: 'Bearer a', 'x-api-key': 'b' }, 'credentials_ambiguous'],
  ])('asks no verifier about %j', async (headers, reason) => {
    const { authenticate, key, token } = createHarness()

    expect(await authenticate(headers)).toMatchObject({ ok: false, refusal: { reason } })
    expect([token.verify, key.verify].flatMap((verify) => verify.mock.calls)).toEqual([])
  })

  test('refuses API keys where the agent takes none', async () => {
    const { authenticate, token } = createHarness(false)

    const result = await authenticate({ 'x-api-key': createAgentSecret('apiKey') })

    expect(result).toEqual({ ok: false, refusal: { reason: 'api_key_not_accepted' } })
    expect(token.verify).not.toHaveBeenCalled()
  })

  test('hands on what the verifier refused', async () => {
    const { authenticate, token } = createHarness()
    token.verify.mockResolvedValue(expired)

    expect(await authenticate({ authorization: 'Bearer a.b.c' })).toEqual(expired)
  })
})

describe('checking again', () => {
  test('looks at the time alone for a token', async () => {
    const { authenticate, checkTime, token } = createHarness()
    const result = await authenticate({ authorization: 'Bearer a.b.c' })
    checkTime.mockReturnValue(expired)

    expect(await (result.ok && result.value.recheck())).toEqual(expired)
    expect(checkTime).toHaveBeenCalledWith(alice)
    expect(token.verify).toHaveBeenCalledTimes(1)
  })

  test('asks about an API key again', async () => {
    const { authenticate, key } = createHarness()
    const result = await authenticate({ 'x-api-key': createAgentSecret('apiKey') })
    key.verify.mockResolvedValue(refuse({ reason: 'api_key_invalid' }))

    expect(await (result.ok && result.value.recheck())).toMatchObject({
      refusal: { reason: 'api_key_invalid' },
    })
  })
})

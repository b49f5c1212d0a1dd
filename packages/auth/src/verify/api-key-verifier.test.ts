import { describe, expect, test } from 'vitest'
import { createAgentSecret, type IntrospectionResponse } from '../protocol/index.ts'
import { createApiKeyVerifier } from './api-key-verifier.ts'
import { createHttpIntrospect } from './introspect.ts'

const ISSUER = 'https://issuer.example'
const active: IntrospectionResponse = {
  active: true,
  token_type: 'api_key',
  iss: ISSUER,
  sub: 'agent-alice-v1',
  aud: 'agent-billing-v2',
  client_id: 'agent-alice-v1',
  jti: 'key-1',
  scope: 'billing:read',
  iat: 1,
}

/** Serves metadata and answers introspection; keeps the requests. */
function createServer(answer: () => Response | Promise<Response>) {
  const requests: Request[] = []
  const fetchWith: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    if (request.url.endsWith('/introspect')) {
      requests.push(request)
      return answer()
    }
    return Response.json({
      issuer: ISSUER,
      token_endpoint: `${ISSUER}/token`,
      jwks_uri: `${ISSUER}/jwks`,
      introspection_endpoint: `${ISSUER}/introspect`,
      response_types_supported: [],
    })
  }
  const introspect = createHttpIntrospect({
    issuer: ISSUER,
    clientId: 'agent-billing-v2',
    clientSecret: 's:c+r&t',
    fetch: fetchWith,
  })
  return { requests, verifier: createApiKeyVerifier({ audience: 'agent-billing-v2', introspect }) }
}

describe('an API key', () => {
  test('that is active becomes a principal', async () => {
    const { verifier } = createServer(() => Response.json(active))

    const result = await verifier.verify(createAgentSecret('apiKey'))

    expect(result).toMatchObject({
      value: {
        agentId: 'agent-alice-v1',
        scopes: ['billing:read'],
        expiresAt: undefined,
        grantPath: ['key-1'],
        limits: [],
        credential: { kind: 'api_key', id: 'key-1' },
      },
    })
  })

  test('without scopes allows nothing', async () => {
    const { verifier } = createServer(() => Response.json({ ...active, scope: '' }))

    const result = await verifier.verify(createAgentSecret('apiKey'))

    expect(result).toMatchObject({ ok: true, value: { scopes: [] } })
  })

  test('is asked about each time, in the body, by an authenticated agent', async () => {
    const { requests, verifier } = createServer(() => Response.json(active))
    const key = createAgentSecret('apiKey')

    await verifier.verify(key)
    await verifier.verify(key)

    expect(requests).toHaveLength(2)
    expect(requests[0]?.url).toBe(`${ISSUER}/introspect`)
    expect(await requests[0]?.text()).toBe(`token=${key}`)
    // RFC 6749 §2.3.1: both parts form-encoded before base64.
    expect(requests[0]?.headers.get('authorization')).toBe(
      `Basic ${btoa('agent-billing-v2:s%3Ac%2Br%26t')}`,
    )
  })

  test('that is mistyped is refused without asking anybody', async () => {
    const { requests, verifier } = createServer(() => Response.json(active))

    const result = await verifier.verify(createAgentSecret('apiKey').slice(0, -1))

    expect(result).toMatchObject({ refusal: { reason: 'api_key_malformed' } })
    expect(requests).toEqual([])
  })

  test.each([
    ['inactive', { active: false }],
    ['meant for another agent', { ...active, aud: 'agent-research-v1' }],
    ['really an access token', { ...active, token_type: 'Bearer' }],
  ])('that is %s is refused in the same words', async (_what, answer) => {
    const { verifier } = createServer(() => Response.json(answer))

    const result = await verifier.verify(createAgentSecret('apiKey'))

    expect(result).toEqual({ ok: false, refusal: { reason: 'api_key_invalid' } })
  })

  test.each([
    ['answers 500', () => new Response('oops', { status: 500 })],
    ['answers nonsense', () => Response.json({ active: 'yes' })],
    ['does not know this agent', () => new Response('{}', { status: 401 })],
    ['is gone', async () => Promise.reject(new TypeError('fetch failed'))],
  ])('is neither good nor bad while the authorization server %s', async (_what, answer) => {
    const { verifier } = createServer(answer)
    const key = createAgentSecret('apiKey')

    const result = await verifier.verify(key)

    expect(result).toMatchObject({ refusal: { reason: 'verifier_unavailable' } })
    expect(JSON.stringify(result)).not.toContain(key)
  })
})

import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  createFakeTokenEndpoint,
  tokenAnswer,
  type AnswerTokenRequest,
} from '../../../../test/support/fake-token-endpoint.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { ISSUER } from '../../../../test/support/test-issuer.ts'
import { createAgentSecret } from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import { ClientSecretBasic } from 'oauth4webapi'
import { createDpopSigner, generateDpopKey } from '../dpop/dpop-signer.ts'
import { ClientError } from '../error/client-error.ts'
import { createTokenEndpoint } from './token-endpoint.ts'

const SECRET = 'cs-agent-hunter2:+&%é'
const clock = createSettableClock()

function createRequest(answer?: AnswerTokenRequest, changes: Record<string, unknown> = {}) {
  const endpoint = createFakeTokenEndpoint(answer)
  const tokens = createTokenEndpoint({
    issuer: ISSUER,
    clientId: 'agent-alice-v1',
    authenticate: ClientSecretBasic(SECRET),
    fetch: endpoint.fetch,
    clock,
    ...changes,
  })
  const scopes = ['billing:read', 'billing:write']
  const parameters = { audience: 'agent-billing-v2', scope: scopes.join(' ') }
  const requestToken = async () =>
    tokens.request({ grantType: 'client_credentials', parameters, scopes })
  return { endpoint, requestToken }
}

const failure = async (answer: AnswerTokenRequest): Promise<ClientError> => {
  const error: unknown = await createRequest(answer)
    .requestToken()
    .catch((cause: unknown) => cause)
  if (error instanceof ClientError) return error
  throw new Error('it did not fail', { cause: error })
}

describe('the request', () => {
  test('has the form of RFC 6749 §4.4.2, with the secret in Basic authentication only', async () => {
    const { endpoint, requestToken } = createRequest()

    await requestToken()

    const [request] = endpoint.requests
    expect(request?.method).toBe('POST')
    expect(request?.url).toBe(`${ISSUER}/token`)
    expect(request?.headers.get('content-type')).toMatch(/^application\/x-www-form-urlencoded/)
    expect(Object.fromEntries(request?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      audience: 'agent-billing-v2',
      scope: 'billing:read billing:write',
    })
    // RFC 6749 §2.3.1: both parts form-encoded before base64.
    const basic = (request?.headers.get('authorization') ?? '').replace('Basic ', '')
    expect(atob(basic)).toMatch(/^agent-alice-v1:|^agent%2Dalice%2Dv1:/)
    const [, secret = ''] = atob(basic).split(':')
    expect(new URLSearchParams(`secret=${secret}`).get('secret')).toBe(SECRET)
  })

  test('finds the endpoint once (RFC 8414), and again after that failed', async () => {
    const { endpoint, requestToken } = createRequest()
    endpoint.setMetadata({ issuer: 'https://evil.example' })
    const failed = await requestToken().catch((error: unknown) => error)

    endpoint.setMetadata({})
    await requestToken()
    await requestToken()

    expect(failed).toMatchObject({ code: 'token_response_invalid' })
    expect(endpoint.discoveries).toEqual([
      `${ISSUER}/.well-known/oauth-authorization-server`,
      `${ISSUER}/.well-known/oauth-authorization-server`,
    ])
    expect(endpoint.requests).toHaveLength(2)
  })

  test('is never sent to an endpoint named by another issuer', async () => {
    // Attack: mix-up. Metadata of somebody else would send the secret there (RFC 8414 §3.3).
    const { endpoint, requestToken } = createRequest()
    endpoint.setMetadata({ issuer: 'https://evil.example' })

    await expect(requestToken()).rejects.toThrow(ClientError)

    expect(endpoint.requests).toEqual([])
  })
})

describe('the answer', () => {
  test('becomes a token whose life is counted from the moment of asking', async () => {
    const start = clock.now()
    const { requestToken } = createRequest(() => {
      clock.advance(3)
      return tokenAnswer('secret-token')
    })

    const token = await requestToken()

    expect(token.reveal()).toBe('secret-token')
    expect(token).toMatchObject({
      type: 'Bearer',
      scopes: ['billing:read'],
      requestedAt: start,
      expiresAt: start + 900,
    })
  })

  test('without scope means what was asked for (RFC 6749 §5.1)', async () => {
    const { requestToken } = createRequest(() => tokenAnswer('x', { scope: undefined }))

    expect((await requestToken()).scopes).toEqual(['billing:read', 'billing:write'])
  })

  test('without expires_in is a token to be used once', async () => {
    const { requestToken } = createRequest(() => tokenAnswer('x', { expires_in: undefined }))
    const token = await requestToken()

    expect(token.expiresAt).toBe(token.requestedAt)
  })
})

describe('a token that is not what was asked for', () => {
  const bound = () => tokenAnswer('bound-token', { token_type: 'DPoP' })

  test('is refused: a bearer token, where the client proves a key (RFC 9449 §5)', async () => {
    // Attack: a downgrade. A token that was to be of no use to a thief is one that anybody can send.
    const signer = createDpopSigner(await generateDpopKey(), clock)
    const { requestToken } = createRequest(() => tokenAnswer('bearer-token'), { signer })

    await expect(requestToken()).rejects.toMatchObject({
      code: 'token_response_invalid',
      message: `${ISSUER} gave a token that is not bound to a key`,
      hint: expect.stringContaining('dpopKey') as string,
    })
  })

  test('is refused: a bound token, where the client has no key to prove', async () => {
    await expect(createRequest(bound).requestToken()).rejects.toMatchObject({
      code: 'token_response_invalid',
      message: `${ISSUER} gave a token that is bound to a key`,
    })
  })

  test('is taken where it is bound, and the request was proved', async () => {
    const signer = createDpopSigner(await generateDpopKey(), clock)
    const { endpoint, requestToken } = createRequest(bound, { signer })

    expect(await requestToken()).toMatchObject({ type: 'DPoP' })
    expect(endpoint.requests[0]?.headers.get('dpop')).toMatch(/^eyJ/)
  })

  test.each(['two words', 'line\nbreak', 'tab\t', 'ünïcode', ''])(
    'is refused where no header could carry it: %j',
    async (value) => {
      // Attack on oneself: whoever sends it would repeat it in an error about a bad header.
      const error = await failure(() => tokenAnswer(value))

      expect(error.code).toBe('token_response_invalid')
      expect(inspect(error, { depth: 9 })).not.toContain(value || 'access_token=')
    },
  )
})

test('a nonce and a clock that is off are learned in one request', async () => {
  const signer = createDpopSigner(await generateDpopKey(), clock)
  const date = new Date((clock.now() + 3600) * 1000).toUTCString()
  const refuse = (error: string, headers: Record<string, string>) =>
    Response.json({ error }, { status: 400, headers })
  const { endpoint, requestToken } = createRequest(
    (at) =>
      [
        refuse('use_dpop_nonce', { 'dpop-nonce': 'n-1' }),
        refuse('invalid_dpop_proof', { date }),
        tokenAnswer('token', { token_type: 'DPoP' }),
      ][at] ?? refuse('invalid_request', {}),
    { signer },
  )

  expect((await requestToken()).type).toBe('DPoP')
  const proofs = endpoint.requests.map(({ headers }) => decodeJwt(headers.get('dpop') ?? ''))
  expect(proofs.map((proof) => proof['nonce'])).toEqual([undefined, 'n-1', 'n-1'])
  expect(proofs.map(({ iat = 0 }) => iat - clock.now())).toEqual([0, 0, 3600])
})

test('a server that goes on wanting another nonce is asked three times and no more', async () => {
  const signer = createDpopSigner(await generateDpopKey(), clock)
  const { endpoint, requestToken } = createRequest(
    (at) =>
      Response.json(
        { error: 'use_dpop_nonce' },
        { status: 400, headers: { 'dpop-nonce': `n-${String(at)}` } },
      ),
    { signer },
  )

  await expect(requestToken()).rejects.toMatchObject({ oauthError: 'use_dpop_nonce' })
  expect(endpoint.requests).toHaveLength(3)
})

describe('what goes wrong', () => {
  const oauthError = (status: number, error: string) => async () =>
    Response.json({ error, error_description: 'because' }, { status })

  test.each([
    ['invalid_scope', 400],
    ['invalid_target', 400],
    ['unauthorized_client', 400],
    ['invalid_client', 401],
  ])('is a refusal when the answer is %s', async (code, status) => {
    expect(await failure(oauthError(status, code))).toMatchObject({
      code: 'token_refused',
      status,
      message: `${ISSUER} refused a token to agent-alice-v1: ${code}: because`,
      hint: expect.stringContaining('operator') as string,
    })
  })

  test('says of a task grant that is over that another one is to be opened', async () => {
    const error = await failure(oauthError(400, 'invalid_authorization_details'))

    expect(error).toMatchObject({
      code: 'token_refused',
      hint: expect.stringContaining('task grant') as string,
    })
  })

  test('is a refusal when the client is challenged', async () => {
    const error = await failure(
      () => new Response('', { status: 401, headers: { 'www-authenticate': 'Basic realm="x"' } }),
    )

    expect(error).toMatchObject({
      code: 'token_refused',
      message: `${ISSUER} does not accept the credentials of agent-alice-v1`,
    })
  })

  test.each<[string, AnswerTokenRequest, string]>([
    ['the server has trouble', oauthError(503, 'temporarily_unavailable'), 'token_unavailable'],
    [
      'nobody answers',
      async () => Promise.reject(new TypeError('fetch failed')),
      'token_unavailable',
    ],
    ['the answer is not JSON', () => new Response('<html>'), 'token_response_invalid'],
    [
      'a proxy answers in its place',
      () => new Response('<html>', { status: 502 }),
      'token_unavailable',
    ],
    [
      'the token is missing',
      () => Response.json({ token_type: 'Bearer' }),
      'token_response_invalid',
    ],
    // Attack prevented: a token of a type that is used otherwise, sent as a bearer token.
    [
      'the type is another',
      () => tokenAnswer('x', { token_type: 'mac' }),
      'token_response_invalid',
    ],
    ['the life is nonsense', () => tokenAnswer('x', { expires_in: -5 }), 'token_response_invalid'],
  ])('when %s', async (_what, answer, code) => {
    const error = await failure(answer)

    expect(error.code).toBe(code)
    expect(error.message).toContain(ISSUER)
    expect(error.hint).not.toBe('')
  })

  test('does not repeat a token that a server writes into its answer', async () => {
    const token = `eyJhbGciOiJFUzI1NiJ9.${'a'.repeat(40)}.${'b'.repeat(40)}`
    const description = `the token ${token} of ${createAgentSecret('clientSecret')} has ended`
    const error = await failure(() =>
      Response.json({ error: 'invalid_request', error_description: description }, { status: 400 }),
    )

    expect(error.message).toContain('the token [redacted] of [redacted] has ended')
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/aaaa|cs-agent/)
  })

  test('never shows the secret or a token, however an error is printed', async () => {
    // Attack: whoever reads an error report becomes the agent.
    const answers: AnswerTokenRequest[] = [
      oauthError(401, 'invalid_client'),
      () => Response.json({ access_token: 'secret-token' }),
      () => Response.json({ access_token: 'secret-token', token_type: 'mac' }),
      async () => Promise.reject(new TypeError('fetch failed', { cause: new Error('ECONNRESET') })),
      () => new Response('', { status: 401, headers: { 'www-authenticate': 'Basic' } }),
    ]
    for (const answer of answers) {
      const error = await failure(answer)
      const printed = [
        error.message,
        error.stack,
        JSON.stringify(error),
        inspect(error, { depth: 20, showHidden: true }),
      ].join('\n')

      expect(printed).not.toMatch(/hunter2|secret-token/)
      expect(printed).not.toContain(btoa(SECRET.replace('é', '')).slice(0, 12))
    }
  })
})

describe('creating it', () => {
  test.each([
    'http://auth.example',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'http://10.0.0.1',
    'ftp://127.0.0.1',
    'file:///etc/passwd',
    'auth.example',
    '',
  ])('is refused for the issuer %j, to which the secret would travel in clear', (issuer) => {
    expect(() => createRequest(undefined, { issuer })).toThrow(TypeError)
  })

  test.each([
    'https://auth.example',
    'http://127.0.0.1:2884',
    'http://localhost',
    'http://[::1]:1',
  ])('is allowed for %s', (issuer) => {
    expect(() => createRequest(undefined, { issuer })).not.toThrow()
  })
})

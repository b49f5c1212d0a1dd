import { SubjectToken } from '@deputy/auth/protocol'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { createFakeTokenEndpoint, tokenAnswer } from '../../../test/support/fake-token-endpoint.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { ISSUER } from '../../../test/support/test-issuer.ts'
import { clientSecret } from './client-secret.ts'
import { tokenExchange } from './token-exchange.ts'

const TARGET = { audience: 'agent-research-v1', scopes: ['research:read'] }

function open(answer?: Parameters<typeof createFakeTokenEndpoint>[0]) {
  const endpoint = createFakeTokenEndpoint(answer)
  const clock = createSettableClock()
  const common = {
    issuer: ISSUER,
    clientId: 'agent-billing-v2',
    clientSecret: 'cs-agent-of-billing',
    fetch: endpoint.fetch,
    clock,
  }
  return { endpoint, clock, common }
}

test('asks by RFC 8693 §2.1, with its own secret and the token that it was called with', async () => {
  const { common, endpoint } = open()
  const subjectToken = new SubjectToken('the-callers-token')

  const limits = [{ type: 'calls', max: 3 }]
  const authorization = await tokenExchange({ ...common, subjectToken, limits })(TARGET).authorize()

  expect(authorization.toHeaders()).toEqual({ authorization: 'Bearer token-1' })
  const [request] = endpoint.requests
  expect(Object.fromEntries(request?.form ?? [])).toEqual({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'the-callers-token',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    audience: 'agent-research-v1',
    scope: 'research:read',
    authorization_details: '[{"type":"calls","max":3}]',
  })
  expect(request?.headers.get('authorization')).toMatch(/^Basic /)
})

test('exchanges once for many calls, and again when the token is about to end', async () => {
  const { clock, common, endpoint } = open((at) =>
    tokenAnswer(`token-${String(at + 1)}`, { expires_in: 300 }),
  )
  const own = tokenExchange({ ...common, subjectToken: new SubjectToken('it') })(TARGET)

  await Promise.all(Array.from({ length: 20 }, async () => own.authorize()))
  expect(endpoint.requests).toHaveLength(1)

  clock.advance(300)
  await own.authorize()
  expect(endpoint.requests).toHaveLength(2)
})

test('a refusal says what the server said, and neither token nor secret', async () => {
  const body = { error: 'invalid_request', error_description: 'the subject_token was revoked' }
  const { common } = open(() => Response.json(body, { status: 400 }))
  const own = tokenExchange({ ...common, subjectToken: new SubjectToken('the-callers-token') })

  const error: unknown = await own(TARGET)
    .authorize()
    .catch((cause: unknown) => cause)

  expect(error).toMatchObject({
    code: 'token_refused',
    message: `${ISSUER} refused a token to agent-billing-v2: invalid_request: the subject_token was revoked`,
  })
  expect(inspect(error, { depth: 10 })).not.toMatch(/the-callers-token|cs-agent/)
})

test('a subject token that is printed shows nothing of itself', () => {
  const subjectToken = new SubjectToken('the-callers-token')

  expect(inspect({ subjectToken }, { showHidden: true })).not.toContain('the-callers-token')
  expect(JSON.stringify({ subjectToken })).not.toContain('the-callers-token')
})

test('work under a task grant asks for tokens that stand on it (RFC 9396)', async () => {
  const { common, endpoint } = open()

  await clientSecret({ ...common, taskGrant: 'task-1' })(TARGET).authorize()

  expect(Object.fromEntries(endpoint.requests[0]?.form ?? [])).toEqual({
    grant_type: 'client_credentials',
    audience: 'agent-research-v1',
    scope: 'research:read',
    authorization_details: '[{"type":"task_grant","identifier":"task-1"}]',
  })
})

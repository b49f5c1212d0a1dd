import { SubjectToken } from '@deputy/auth/protocol'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import {
  createFakeTokenEndpoint,
  tokenAnswer,
} from '../../../../test/support/fake-token-endpoint.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { ISSUER } from '../../../../test/support/test-issuer.ts'
import { clientSecret } from './client-secret.ts'
import { taskGrant } from './task-grant.ts'
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
  return { endpoint, clock, actor: clientSecret(common) }
}

test('asks by RFC 8693 §2.1, with its own secret and the token that it was called with', async () => {
  const { actor, endpoint } = open()
  const subject = new SubjectToken('the-callers-token')

  const limits = [{ type: 'calls', max: 3 }]
  const authorization = await tokenExchange({ actor, subject, limits })(TARGET).authorize()

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
  const { actor, clock, endpoint } = open((at) =>
    tokenAnswer(`token-${String(at + 1)}`, { expires_in: 300 }),
  )
  const own = tokenExchange({ actor, subject: new SubjectToken('it') })(TARGET)

  await Promise.all(Array.from({ length: 20 }, async () => own.authorize()))
  expect(endpoint.requests).toHaveLength(1)

  clock.advance(300)
  await own.authorize()
  expect(endpoint.requests).toHaveLength(2)
})

test('a refusal says what the server said, and neither token nor secret', async () => {
  const body = { error: 'invalid_request', error_description: 'the subject_token was revoked' }
  const { actor } = open(() => Response.json(body, { status: 400 }))
  const own = tokenExchange({ actor, subject: new SubjectToken('the-callers-token') })

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
  const { actor, endpoint } = open()

  await taskGrant('task-1', actor)(TARGET).authorize()

  expect(Object.fromEntries(endpoint.requests[0]?.form ?? [])).toEqual({
    grant_type: 'client_credentials',
    audience: 'agent-research-v1',
    scope: 'research:read',
    authorization_details: '[{"type":"task_grant","identifier":"task-1"}]',
  })
})

test('callers do not share a token, and one caller’s clients do', async () => {
  // Attack: Mallory calls after Alice, and billing acts for Mallory with Alice's authority.
  const { actor, endpoint } = open()
  const actFor = async (subject: string) =>
    tokenExchange({ actor, subject: new SubjectToken(subject) })(TARGET).authorize()

  const [alice, mallory, again] = [
    await actFor('alice'),
    await actFor('mallory'),
    await actFor('alice'),
  ]

  expect(mallory).not.toBe(alice)
  expect(again).toBe(alice)
  expect(endpoint.requests.map(({ form }) => form.get('subject_token'))).toEqual([
    'alice',
    'mallory',
  ])
})

test('an agent’s own token is exchanged as it is when it is needed, and its renewal costs no exchange', async () => {
  const { actor, clock, endpoint } = open()
  const subject = taskGrant('task-1', actor).toSubject({ audience: 'agent-billing-v2', scopes: [] })
  const own = tokenExchange({ actor, subject })(TARGET)

  await own.authorize()
  clock.advance(900)
  await own.authorize()

  expect(endpoint.requests.map(({ form }) => form.get('subject_token'))).toEqual([
    null,
    'token-1',
    null,
    'token-3',
  ])
})

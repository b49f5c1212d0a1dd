import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createFakeTokenEndpoint } from '../../../../test/support/fake-token-endpoint.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { ISSUER } from '../../../../test/support/test-issuer.ts'
import { createAgentSecret } from '@deputy/auth/protocol'
import { apiKey, clientSecret, createAgentClient } from '../index.ts'

const target = { audience: 'agent-billing-v2', scopes: ['billing:read'] }

function createCredentials() {
  const endpoint = createFakeTokenEndpoint()
  const clock = createSettableClock()
  const credentials = clientSecret({
    issuer: ISSUER,
    clientId: 'agent-alice-v1',
    clientSecret: 'cs-agent-hunter2',
    fetch: endpoint.fetch,
    clock,
  })
  return { clock, credentials, endpoint }
}

describe('credentials by client secret', () => {
  test('give one authorization as long as there is one token, and another for the next', async () => {
    const { clock, credentials } = createCredentials()
    const authorizer = credentials(target)

    const [first, again] = [await authorizer.authorize(), await authorizer.authorize()]
    clock.advance(900)
    const next = await authorizer.authorize()

    expect(again).toBe(first)
    expect(first.toHeaders()).toEqual({ authorization: 'Bearer token-1' })
    expect(next.toHeaders()).toEqual({ authorization: 'Bearer token-2' })
  })

  test('keep the tokens of different targets apart', async () => {
    // Attack prevented: a token for one agent, sent to another one that could use it.
    const { credentials, endpoint } = createCredentials()
    const billing = await credentials(target).authorize()
    const research = await credentials({ audience: 'agent-research-v1', scopes: [] }).authorize()

    expect(endpoint.requests.map(({ form }) => form.get('audience'))).toEqual([
      'agent-billing-v2',
      'agent-research-v1',
    ])
    expect(research.toHeaders()).not.toEqual(billing.toHeaders())
  })

  test('ask for a new token once for all calls whose token was refused', async () => {
    const { credentials, endpoint } = createCredentials()
    const authorizer = credentials(target)
    const refused = await authorizer.authorize()

    const renewed = await Promise.all(
      Array.from({ length: 5 }, async () => {
        expect(authorizer.renew(refused)).toBe(true)
        return authorizer.authorize()
      }),
    )

    expect(new Set(renewed).size).toBe(1)
    expect(endpoint.requests).toHaveLength(2)
  })

  test('keep the new token when an old one is refused late', async () => {
    const { credentials, endpoint } = createCredentials()
    const authorizer = credentials(target)
    const refused = await authorizer.authorize()
    authorizer.renew(refused)
    const fresh = await authorizer.authorize()

    authorizer.renew(refused)

    expect(await authorizer.authorize()).toBe(fresh)
    expect(endpoint.requests).toHaveLength(2)
  })
})

describe('credentials by API key', () => {
  test('are sent as X-API-Key and cannot be renewed', async () => {
    const key = createAgentSecret('apiKey')
    const authorizer = apiKey(key)(target)

    const authorization = await authorizer.authorize()

    expect(authorization.toHeaders()).toEqual({ 'x-api-key': key })
    expect(authorizer.renew(authorization)).toBe(false)
  })

  test.each([
    ['mistyped', (key: string) => key.slice(0, -1) + (key.endsWith('0') ? '1' : '0')],
    ['cut short', (key: string) => key.slice(0, -1)],
    ['a client secret', () => createAgentSecret('clientSecret')],
    ['nothing', () => ''],
  ])('are refused at once when the key is %s, without repeating it', (_what, change) => {
    const key = change(createAgentSecret('apiKey'))

    expect(() => apiKey(key)).toThrow(
      new TypeError(
        'the API key is mistyped or cut short: it is "sk-agent-" and 49 letters and digits',
      ),
    )
  })
})

test('nothing that holds a secret shows it when it is printed', async () => {
  // Attack: a debugging line that prints the client, its context or its credentials.
  const { credentials } = createCredentials()
  const key = createAgentSecret('apiKey')
  const byKey = apiKey(key)
  const authorizer = credentials(target)
  const authorization = await authorizer.authorize()
  await using client = createAgentClient({ url: 'http://127.0.0.1:1', credentials, ...target })
  const secrets = /hunter2|token-1|sk-agent-/

  for (const value of [credentials, byKey, authorizer, byKey(target), authorization, client]) {
    const printed = [
      inspect(value, { depth: 20, showHidden: true }),
      JSON.stringify({ value }),
      String(Object.entries(value)),
    ]
    expect(printed.join('\n')).not.toMatch(secrets)
  }
  expect(Reflect.ownKeys(authorization)).toEqual([])
})

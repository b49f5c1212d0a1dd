// RFC 8707, Resource Indicators for OAuth 2.0.
import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import { enroll } from '../../apps/auth-server/test-support/admin-client.ts'
import { readOAuthError } from '../../apps/auth-server/test-support/oauth-request.ts'
import { verifies } from './verifies.ts'
import { askToken, post, startConformanceWorld } from './world.ts'

const INVALID_TARGET = { status: 400, error: 'invalid_target' }
const BOB_URL = 'https://bob.example/api'

/** Bob is reached by a URL, and Alice may call Carol too. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await startConformanceWorld())
  const { admin, alice, bob } = world
  await admin.agents.update.mutate({ id: bob.id, settings: { url: BOB_URL } })
  const settings = { scopesSupported: ['notes:read'], url: 'https://carol.example' }
  const carol = await enroll(admin, 'agent-carol', settings)
  await admin.agents.update.mutate({ id: alice.id, settings: { audiences: [bob.id, carol.id] } })
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...world, carol, [Symbol.asyncDispose]: close }
}

verifies(
  ['rfc8707-2-absolute-uri', 'rfc8707-2-no-fragment', 'rfc8707-2-invalid-target'],
  'refuses what is no absolute URI, or has a fragment',
  async () => {
    await using world = await setUp()

    for (const resource of [
      '/api',
      'bob.example',
      `${BOB_URL}#`,
      `${BOB_URL}#top`,
      'https://',
      ':',
    ]) {
      const answer = await askToken(world, { resource })

      expect([resource, readOAuthError(answer)]).toEqual([resource, INVALID_TARGET])
    }
  },
)

verifies(
  'rfc8707-2-several-resources',
  'refuses a token for two agents, and says to ask for one each',
  async () => {
    await using world = await setUp()
    const form: [string, string][] = [
      ['grant_type', 'client_credentials'],
      ['resource', BOB_URL],
      ['resource', 'https://carol.example'],
    ]

    const answer = await post(world, '/oauth/token', { as: world.alice, form })

    expect(readOAuthError(answer)).toEqual(INVALID_TARGET)
    expect(answer.body['error_description']).toContain('one token for each')
  },
)

verifies(
  ['rfc8707-2-invalid-target', 'rfc8707-2.2-within-grant'],
  'refuses resources that are unknown in the words for those that the client may not have',
  async () => {
    // Attack: whoever asks learns which agents there are.
    await using world = await setUp()
    const { admin } = world
    await enroll(admin, 'agent-dora', { url: 'https://dora.example', scopesSupported: ['a:b'] })

    const unknown = await askToken(world, { resource: 'https://unknown.example' })
    const forbidden = await askToken(world, { resource: 'https://dora.example' })

    expect(readOAuthError(unknown)).toEqual(INVALID_TARGET)
    expect(forbidden.text).toBe(unknown.text)
  },
)

verifies(
  'rfc8707-2-audience-restricted',
  'gives a token for the agent of the URL, and for no other',
  async () => {
    await using world = await setUp()

    const answer = await askToken(world, { resource: BOB_URL })

    expect(decodeJwt(String(answer.body['access_token'])).aud).toBe(world.bob.id)
  },
)

verifies(
  'rfc8707-2-default-resource',
  'finds the agent by the scope where only one knows it, and else asks for the resource',
  async () => {
    await using world = await setUp()

    const inferred = await askToken(world, { scope: 'notes:write' })
    const ambiguous = await askToken(world, { scope: 'notes:read' })

    expect(decodeJwt(String(inferred.body['access_token'])).aud).toBe(world.bob.id)
    expect(readOAuthError(ambiguous)).toEqual(INVALID_TARGET)
  },
)

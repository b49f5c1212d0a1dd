import { AuthorizationServerMetadata, ProtectedResourceMetadata } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { send } from '../../test-support/oauth-request.ts'
import { ADMIN_SCOPES } from '../index.ts'
import { createMetadata } from './metadata.ts'

const METHODS = ['client_secret_basic', 'client_secret_post', 'private_key_jwt']
const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519', 'PS256', 'RS256']

describe('authorization server metadata', () => {
  test('names this issuer and nothing that is not there', async () => {
    await using server = await startAuthServer()
    const { issuer } = server

    const { body } = await send(`${issuer}/.well-known/oauth-authorization-server`)

    expect(AuthorizationServerMetadata.parse(body)).toEqual({
      issuer,
      authorization_endpoint: `${issuer}/oauth/authorize`,
      token_endpoint: `${issuer}/oauth/token`,
      introspection_endpoint: `${issuer}/oauth/introspect`,
      revocation_endpoint: `${issuer}/oauth/revoke`,
      revocation_feed_endpoint: `${issuer}/oauth/revocations`,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      response_types_supported: [],
      grant_types_supported: [
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:token-exchange',
      ],
      token_endpoint_auth_methods_supported: METHODS,
      token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      introspection_endpoint_auth_methods_supported: METHODS,
      introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      revocation_endpoint_auth_methods_supported: METHODS,
      revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      dpop_signing_alg_values_supported: ALGORITHMS,
    })
  })

  test('names endpoints that answer', async () => {
    await using server = await startAuthServer()
    const { body } = await send(`${server.issuer}/.well-known/oauth-authorization-server`)
    const metadata = AuthorizationServerMetadata.parse(body)

    const token = await send(metadata.token_endpoint, { method: 'POST' })
    const introspection = await send(metadata.introspection_endpoint ?? '', { method: 'POST' })
    const revocation = await send(metadata.revocation_endpoint ?? '', { method: 'POST' })
    const authorization = await send(metadata.authorization_endpoint ?? '')
    const keys = await send(metadata.jwks_uri)

    const answers = [token, introspection, revocation, authorization, keys]
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 200])
    expect(answers.map(({ body }) => body['error'])).toEqual([
      ...Array<string>(3).fill('invalid_request'),
      'unsupported_response_type',
      undefined,
    ])
  })

  test('may be kept for a minute', async () => {
    await using server = await startAuthServer()

    const { headers } = await send(`${server.issuer}/.well-known/oauth-authorization-server`)

    expect(headers.get('cache-control')).toBe('public, max-age=60')
  })

  test('has no doubled slash below an issuer that ends in one', () => {
    const metadata = createMetadata({
      issuer: 'https://auth.example/',
      grantTypes: ['client_credentials'],
      isRegistrationOpen: false,
    })

    expect(metadata.issuer).toBe('https://auth.example/')
    expect(metadata.token_endpoint).toBe('https://auth.example/oauth/token')
  })
})

describe('protected resource metadata', () => {
  test('sends callers of the admin API to this very server', async () => {
    await using server = await startAuthServer()

    const { body } = await send(`${server.issuer}/.well-known/oauth-protected-resource`)

    expect(ProtectedResourceMetadata.parse(body)).toMatchObject({
      resource: server.issuer,
      resource_name: 'auth-server',
      authorization_servers: [server.issuer],
      scopes_supported: [...ADMIN_SCOPES].toSorted(),
    })
  })
})

describe('JWKS', () => {
  test('shows the public halves of the active and of the next key and nothing else', async () => {
    // Attack: whoever reads `d` signs tokens for everyone.
    await using server = await startAuthServer()

    const { body } = await send(`${server.issuer}/.well-known/jwks.json`)

    const { keys } = body as { keys: Record<string, unknown>[] }
    expect(keys.map((key) => Object.keys(key).toSorted())).toEqual([
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
      ['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'],
    ])
  })
})

describe('a path that is not there', () => {
  test.each([
    '/oauth/authorise',
    '/oauth/token/',
    '/oauth/tokens',
    '/OAUTH/TOKEN',
    '//oauth/token',
  ])('like %s is answered with 404 and JSON', async (path) => {
    await using server = await startAuthServer()

    const answer = await send(`${server.issuer}${path}`, { method: 'POST' })

    expect(answer.status).toBe(404)
    expect(answer.body).toMatchObject({ error: 'not_found' })
  })
})

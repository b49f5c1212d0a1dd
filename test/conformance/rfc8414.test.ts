// RFC 8414, OAuth 2.0 Authorization Server Metadata.
import { createRemoteSigningKeySource, SigningKeysUnavailableError } from '@deputy/auth'
import { clientSecret, toClientError } from '@deputy/client'
import { expect } from 'vitest'
import * as z from 'zod'
import { readConfig } from '../../apps/auth-server/src/config.ts'
import { readOAuthError, send } from '../../apps/auth-server/test-support/oauth-request.ts'
import { createFakeTokenEndpoint } from '../support/fake-token-endpoint.ts'
import { createFakeIssuer, createSigningPair, ISSUER } from '../support/test-issuer.ts'
import { breaks, verifies } from './verifies.ts'
import { readMetadata, startConformanceWorld } from './world.ts'

const WELL_KNOWN = '/.well-known/oauth-authorization-server'

verifies(
  ['rfc8414-2-issuer', 'rfc8414-3-https', 'rfc8414-6.1-tls'],
  'refuses to start with an issuer that is not https, or has a query or a fragment',
  async () => {
    for (const issuer of ['http://as.example', 'https://as.example?a=b', 'https://as.example#a']) {
      expect(() => readConfig({ DEPUTY_ISSUER: issuer })).toThrow(/DEPUTY_ISSUER: must/)
    }
  },
)

verifies(
  ['rfc8414-2-authorization-endpoint', 'rfc8414-2-token-endpoint', 'rfc8414-2-response-types'],
  'names each endpoint that there is, and each answers',
  async () => {
    await using world = await startConformanceWorld({ isRegistrationOpen: true })

    const metadata = await readMetadata(world)

    expect(metadata.response_types_supported).toEqual([])
    const endpoints = Object.entries(metadata).filter(([name]) => name.endsWith('_endpoint'))
    expect(endpoints.map(([name]) => name).toSorted()).toEqual([
      'authorization_endpoint',
      'introspection_endpoint',
      'registration_endpoint',
      'revocation_endpoint',
      'revocation_feed_endpoint',
      'token_endpoint',
    ])
    for (const [, url] of endpoints) {
      const answer = await send(z.string().parse(url), { method: 'POST' })

      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).not.toBe(404)
    }
  },
)

verifies(
  'rfc8414-2-authorization-endpoint',
  'says at the authorization endpoint that nobody signs in here',
  async () => {
    await using world = await startConformanceWorld()

    const { authorization_endpoint: url = '' } = await readMetadata(world)
    const answer = await send(
      `${url}?response_type=code&client_id=x&redirect_uri=https://x.example`,
      {
        redirect: 'manual',
      },
    )

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'unsupported_response_type' })
  },
)

verifies(
  ['rfc8414-2-jwks-uri', 'rfc8414-2-key-use'],
  'publishes its keys below the issuer: public ones, to sign',
  async () => {
    await using world = await startConformanceWorld()
    const { issuer, jwks_uri: url } = await readMetadata(world)

    const { keys } = z
      .object({ keys: z.array(z.record(z.string(), z.unknown())).min(1) })
      .parse((await send(url)).body)

    expect(new URL(url).origin).toBe(issuer)
    for (const key of keys) {
      expect(key).toMatchObject({ use: 'sig', kid: expect.any(String) as string })
      expect(key).not.toHaveProperty('d')
    }
  },
)

verifies(
  ['rfc8414-2-signing-algorithms', 'rfc8414-2-no-none'],
  'lists the algorithms of assertions at each endpoint, without none and shared secrets',
  async () => {
    await using world = await startConformanceWorld()
    const metadata = await readMetadata(world)

    for (const endpoint of ['token', 'introspection', 'revocation']) {
      const methods = metadata[`${endpoint}_endpoint_auth_methods_supported`]
      const algorithms = metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`]

      expect(methods).toContain('private_key_jwt')
      expect(algorithms).toEqual(expect.arrayContaining(['ES256', 'RS256']))
      expect(JSON.stringify(algorithms)).not.toMatch(/none|HS\d/)
    }
  },
)

verifies(
  [
    'rfc8414-3-well-known',
    'rfc8414-3-suffix-registered',
    'rfc8414-3.3-same-issuer',
    'rfc8414-3.1-terminating-slash',
  ],
  'serves the document where the path is inserted, and says the issuer to the letter',
  async () => {
    for (const issuerPath of ['', '/tenant', '/a/b/']) {
      await using world = await startConformanceWorld({ issuerPath })
      const { origin } = new URL(world.server.issuer)

      const answer = await send(origin + WELL_KNOWN + issuerPath.replace(/\/$/, ''))

      expect([answer.status, answer.body['issuer']]).toEqual([200, world.server.issuer])
    }
  },
)

verifies('rfc8414-3.1-get', 'answers no method that writes', async () => {
  await using world = await startConformanceWorld()
  const url = world.server.issuer + WELL_KNOWN

  for (const method of ['POST', 'PUT', 'DELETE']) {
    const answer = await send(url, { method })

    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET'])
  }
})

verifies('rfc8414-3.2-success', 'answers 200 with one JSON object', async () => {
  await using world = await startConformanceWorld()

  const answer = await send(world.server.issuer + WELL_KNOWN)

  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json'])
  expect(answer.text).toBe(JSON.stringify(answer.body))
})

breaks(
  'rfc8414-3.2-no-empty-claims',
  "has response_types_supported without an element, which §2 requires and MCP's clients ask for",
  async () => {
    await using world = await startConformanceWorld()

    const empty = Object.entries(await readMetadata(world)).filter(
      ([, value]) => Array.isArray(value) && value.length === 0,
    )

    expect(empty).toEqual([])
  },
)

verifies(
  ['rfc8414-3.3-others-not-used', 'rfc8414-4-string-comparison'],
  'takes no keys from a document that names another issuer, be it by one slash',
  async () => {
    // Attack: metadata of a server that somebody else runs leads verifiers to keys of theirs.
    const signingKey = (await createSigningPair('key-1')).publicJwk
    const findKey = async (named: string): Promise<unknown> => {
      const issuer = createFakeIssuer([signingKey])
      issuer.metadata = { issuer: named }
      const keys = createRemoteSigningKeySource(ISSUER, { fetch: issuer.fetch })
      return keys({ algorithm: 'ES256', kid: 'key-1' })
    }

    await expect(findKey(ISSUER)).resolves.toBeDefined()
    for (const named of ['https://other.example', `${ISSUER}/`, ISSUER.toUpperCase()]) {
      await expect(findKey(named)).rejects.toThrow(SigningKeysUnavailableError)
    }
  },
)

verifies(
  'rfc8414-6.2-client-checks-issuer',
  'sends no secret by a document that names another issuer, be it by one slash',
  async () => {
    // Attack: whoever can put up metadata collects the secrets of clients.
    const ask = async (issuer: string) => {
      const endpoint = createFakeTokenEndpoint()
      endpoint.setMetadata({ issuer })
      const credentials = clientSecret({
        issuer: ISSUER,
        clientId: 'agent-alice',
        clientSecret: 'cs-agent-hunter2',
        fetch: endpoint.fetch,
        random: () => 0,
      })
      const authorizer = credentials({ audience: 'agent-bob', scopes: [] })
      const outcome = await authorizer.authorize().then(() => 'a token', toClientError)
      return { outcome, requests: endpoint.requests.length }
    }

    expect(await ask(ISSUER)).toEqual({ outcome: 'a token', requests: 1 })
    for (const named of ['https://other.example', `${ISSUER}/`, ISSUER.toUpperCase()]) {
      const { outcome, requests } = await ask(named)

      expect([named, requests]).toEqual([named, 0])
      expect(outcome).toMatchObject({ code: 'token_response_invalid' })
    }
  },
)

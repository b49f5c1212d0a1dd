// RFC 6750, OAuth 2.0 Bearer Token Usage, and RFC 6749, by the client of Deputy.
import { clientSecret, createAgentClient, toClientError, type FetchLike } from '@deputy/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { expect } from 'vitest'
import { createFakeTokenEndpoint, tokenAnswer } from '../support/fake-token-endpoint.ts'
import { ISSUER } from '../support/test-issuer.ts'
import { verifies } from './verifies.ts'

const AGENT = 'https://bob.example'

const open = (endpoint = createFakeTokenEndpoint()) =>
  clientSecret({
    issuer: ISSUER,
    clientId: 'agent-alice',
    clientSecret: 'cs-agent-hunter2',
    fetch: endpoint.fetch,
    random: () => 0,
  })

verifies(
  'rfc6749-5.1-client-ignores-unknown',
  'takes an answer with more than it knows',
  async () => {
    const endpoint = createFakeTokenEndpoint(() =>
      tokenAnswer('token-1', { example_parameter: { more: true }, error_hint: null }),
    )

    const authorizer = open(endpoint)({ audience: 'agent-bob', scopes: [] })

    expect((await authorizer.authorize()).toHeaders()).toEqual({ authorization: 'Bearer token-1' })
  },
)

verifies(
  'rfc6750-5.3-always-tls',
  'is not made for an agent or an issuer by plain http',
  async () => {
    // Attack: whoever listens on the way reads the token.
    for (const url of ['http://bob.example', 'ftp://bob.example', 'bob.example']) {
      expect(() => createAgentClient<AnyTRPCRouter>({ url, credentials: open() })).toThrow(
        TypeError,
      )
      const secret = { clientId: 'agent-alice', clientSecret: 'cs-agent-hunter2' }
      expect(() => clientSecret({ issuer: url, ...secret })).toThrow(TypeError)
    }
  },
)

verifies('rfc6750-5.3-not-leaked', 'takes its token to nobody by a redirect', async () => {
  // Attack: an agent, or what stands in front of it, sends the caller with its token to another host.
  const asked: { readonly url: string; readonly redirect: string | undefined }[] = []
  const fetchWith: FetchLike = async (url, { redirect }) => {
    asked.push({ url, redirect })
    return Response.redirect('https://evil.example/collect', 307)
  }
  const client = createAgentClient<AnyTRPCRouter>({
    url: AGENT,
    audience: 'agent-bob',
    credentials: open(),
    fetch: fetchWith,
    retry: false,
  })

  const query: unknown = Reflect.get(client, 'notes')
  const outcome = await (query as { query(): Promise<unknown> }).query().catch(toClientError)
  await client[Symbol.asyncDispose]()

  expect(outcome).toMatchObject({ name: 'ClientError' })
  expect(asked.map(({ redirect }) => redirect)).toEqual(asked.map(() => 'manual'))
  expect(asked.every(({ url }) => url.startsWith(AGENT))).toBe(true)
})

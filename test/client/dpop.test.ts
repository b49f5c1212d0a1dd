// Tokens that are bound to a key (RFC 9449), end to end: the client proves its key at the authorization server
// and at the agent, and a stolen token is of no use.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import {
  clientSecret,
  createAgentClient,
  generateDpopKey,
  toClientError,
  type ClientCredentials,
  type OAuthClientSettings,
} from '@deputy/client'
import { createTestWorld } from '@deputy/testing'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'

const router = agentRouter({
  echo: scopedProcedure('ledger:read').query(() => 'here'),
  pay: scopedProcedure('ledger:read').mutation(() => 'paid'),
})

async function startWorld() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  const ledger = await world.agent('agent-ledger-v1', { router })
  const alice = await world.caller('agent-alice-v1', {
    scopes: ['ledger:read'],
    audiences: [ledger.id],
    dpopBoundAccessTokens: true,
  })
  const { clientSecret: secret } = await world.admin.clientSecrets.create.mutate({
    agentId: alice.id,
  })
  const sent: { readonly headers: Headers }[] = []
  const watched: typeof fetch = async (input, init) => {
    sent.push({ headers: new Headers(init?.headers) })
    const { body, headers, status } = await alice.fetch(input, init)
    // The time of the world's servers is that of the world, and Node's is the machine's.
    const dated = new Headers(headers)
    dated.set('date', new Date(world.now() * 1000).toUTCString())
    return new Response(body, { status, headers: dated })
  }
  const identify = (dpopKey?: OAuthClientSettings['dpopKey']): ClientCredentials =>
    clientSecret({
      issuer: world.issuer,
      clientId: alice.id,
      clientSecret: secret,
      fetch: watched,
      clock: alice.clock,
      dpopKey,
    })
  // Over HTTP there is nothing to close.
  const open = (credentials: ClientCredentials, transport: 'http' | 'websocket' = 'http') =>
    createAgentClient<typeof router>({
      url: ledger.url,
      audience: ledger.id,
      credentials,
      transport,
      fetch: watched,
      WebSocket: alice.WebSocket,
    })
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { world, ledger, alice, sent, identify, open, [Symbol.asyncDispose]: dispose }
}

const proofOf = ({ headers }: { readonly headers: Headers }) => decodeJwt(headers.get('dpop') ?? '')

describe('with a key', () => {
  test('every request is proved anew, at the authorization server and at the agent', async () => {
    await using harness = await startWorld()
    const client = harness.open(harness.identify(await generateDpopKey()))

    expect(await client.echo.query()).toBe('here')
    expect(await client.pay.mutate()).toBe('paid')

    const proved = harness.sent.filter(({ headers }) => headers.has('dpop'))
    expect(proved.map((request) => proofOf(request)['htu'])).toEqual([
      `${harness.world.issuer}/oauth/token`,
      `${harness.ledger.url}/trpc/echo`,
      `${harness.ledger.url}/trpc/pay`,
    ])
    expect(proved.map((request) => proofOf(request)['htm'])).toEqual(['POST', 'GET', 'POST'])
    expect(new Set(proved.map((request) => proofOf(request).jti)).size).toBe(3)
    expect(proved[1]?.headers.get('authorization')).toMatch(/^DPoP /)
  })

  test.each(['Ed25519', 'P-384'])('of %s it is the same', async (kind) => {
    await using harness = await startWorld()
    const algorithm = kind === 'P-384' ? { name: 'ECDSA', namedCurve: kind } : { name: kind }
    const key = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
    if (!('privateKey' in key)) throw new TypeError('a pair was asked for')

    expect(await harness.open(harness.identify(key)).echo.query()).toBe('here')
  })

  test.each([-1800, 1800])('it works where the client’s clock is %i seconds off', async (off) => {
    await using harness = await startWorld()
    using _skew = harness.world.skew(harness.alice, off)
    const client = harness.open(harness.identify(await generateDpopKey()))

    expect(await client.echo.query()).toBe('here')
    expect(await client.pay.mutate()).toBe('paid')
  })

  test.each([-1800, 1800])(
    'over WebSocket, too, where no answer has a date (%i seconds)',
    async (off) => {
      await using harness = await startWorld()
      using _skew = harness.world.skew(harness.alice, off)
      const credentials = harness.identify(await generateDpopKey())
      await using client = harness.open(credentials, 'websocket')

      expect(await client.echo.query()).toBe('here')
      expect(await client.pay.mutate()).toBe('paid')
    },
  )

  test('a stolen token is of no use, with another key or none', async () => {
    await using harness = await startWorld()
    const credentials = harness.identify(await generateDpopKey())
    await harness.open(credentials).echo.query()
    const stolen = harness.sent.at(-1)?.headers.get('authorization')?.replace('DPoP ', '') ?? ''

    const answers = await Promise.all(
      ['Bearer', 'DPoP'].map(async (scheme) => {
        const headers = { authorization: `${scheme} ${stolen}` }
        return harness.alice.fetch(`${harness.ledger.url}/trpc/echo`, { headers })
      }),
    )

    expect(answers.map(({ status }) => status)).toEqual([401, 401])
  })
})

test('without one, a client that has to prove a key is told so', async () => {
  await using harness = await startWorld()
  const error = await harness.open(harness.identify()).echo.query().catch(toClientError)

  expect(error).toMatchObject({
    code: 'token_refused',
    oauthError: 'invalid_dpop_proof',
    hint: expect.stringContaining('dpopKey') as string,
  })
})

test('tokens of one key are not those of another', async () => {
  await using harness = await startWorld()
  const target = { audience: harness.ledger.id, scopes: ['ledger:read'] }
  const [one, two] = [await generateDpopKey(), await generateDpopKey()].map((key) =>
    harness.identify(key),
  )
  if (one === undefined || two === undefined) throw new Error('two were made')

  const tokens = await Promise.all(
    [one, two].map(async ({ client, grant }) => client.getToken(target, grant)),
  )

  const bound = tokens.map((token) => decodeJwt(token.reveal())['cnf'])
  expect(bound[0]).not.toEqual(bound[1])
})

// Every kind of credentials against the real authorization server and an agent that it protects.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import {
  apiKey,
  clientSecret,
  createAgentClient,
  generateDpopKey,
  privateKeyJwt,
  taskGrant,
  toClientError,
  tokenExchange,
  type ClientCredentials,
  type Credentials,
} from '@deputy/client'
import { createTestWorld, type Caller, type TestWorld } from '@deputy/testing'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'

const router = agentRouter({
  whoAmI: scopedProcedure('ledger:read').query(({ ctx: { principal } }) => ({
    agentId: principal.agentId,
    kind: principal.credential.kind,
    scopes: principal.scopes,
  })),
  pay: scopedProcedure('ledger:write').mutation(() => 'paid'),
})

async function startWorld() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  const ledger = await world.agent('agent-ledger-v1', { router })
  const alice = await world.caller('agent-alice-v1', {
    scopes: ['ledger:read'],
    audiences: [ledger.id],
  })
  const call = async (credentials: Credentials) => {
    const { fetch } = alice
    await using client = createAgentClient<typeof router>({
      url: ledger.url,
      audience: ledger.id,
      scopes: ['ledger:read'],
      credentials,
      fetch,
    })
    return client.whoAmI.query()
  }
  const identity = {
    issuer: world.issuer,
    clientId: alice.id,
    fetch: alice.fetch,
    clock: alice.clock,
  }
  const resources = stack.move()
  return {
    world,
    ledger,
    alice,
    identity,
    call,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

async function addKey(world: TestWorld, { id: agentId }: Caller, algorithm: string): Promise<JWK> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), alg: algorithm }
  const { kid } = await world.admin.clientKeys.create.mutate({ agentId, jwk })
  return { ...(await exportJWK(privateKey)), kid, alg: algorithm }
}

describe('a private key', () => {
  test.each(['ES256', 'RS256', 'PS256', 'Ed25519'])(
    'of %s says who the client is, and never leaves',
    async (algorithm) => {
      await using harness = await startWorld()
      const { alice, identity, world } = harness
      const key = await addKey(world, alice, algorithm)

      expect(await harness.call(privateKeyJwt({ ...identity, key }))).toMatchObject({
        agentId: 'agent-alice-v1',
        scopes: ['ledger:read'],
      })
      const { alg: _, ...bare } = key
      if (algorithm === 'PS256') return
      // The algorithm is that of the key, where the JWK names none.
      expect(await harness.call(privateKeyJwt({ ...identity, key: bare }))).toBeDefined()
    },
  )

  test('that cannot be exported is as good', async () => {
    await using harness = await startWorld()
    const { alice, identity, world } = harness
    const { privateKey, publicKey } = await generateKeyPair('ES256')
    const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256' }
    const { kid } = await world.admin.clientKeys.create.mutate({ agentId: alice.id, jwk })

    const credentials = privateKeyJwt({ ...identity, key: privateKey, keyId: kid })

    expect(await harness.call(credentials)).toMatchObject({ agentId: 'agent-alice-v1' })
  })

  test('needs no issuer: the agent that is called says whom to ask', async () => {
    await using harness = await startWorld()
    const { alice, ledger, world } = harness
    const { issuer: _, ...identity } = harness.identity
    const key = await addKey(world, alice, 'ES256')
    const { fetch } = alice
    await using client = createAgentClient<typeof router>({
      url: ledger.url,
      credentials: privateKeyJwt({ ...identity, key }),
      discovery: { fetch },
      fetch,
    })

    expect(await client.whoAmI.query()).toMatchObject({ agentId: 'agent-alice-v1' })
  })

  test.each([-3600, 3600])(
    'works where the client’s clock is %i seconds off: it learns from the answer’s Date',
    async (seconds) => {
      await using harness = await startWorld()
      const { alice, identity, world } = harness
      const key = await addKey(world, alice, 'ES256')
      // The caller's alone: the servers go right.
      using _skew = world.skew(alice, seconds)
      const credentials = privateKeyJwt({ ...identity, key })

      const [first, second] = [await harness.call(credentials), await harness.call(credentials)]

      expect([first, second]).toEqual(
        Array(2).fill(expect.objectContaining({ kind: 'access_token' })),
      )
    },
  )

  test('that is damaged is said to be, and the server is not asked for long', async () => {
    await using harness = await startWorld()
    const key = { kty: 'EC', crv: 'P-256', d: 'AAAA', x: 'AAAA', y: 'AAAA' }

    const error = await harness
      .call(privateKeyJwt({ ...harness.identity, key }))
      .catch(toClientError)

    expect(error).toMatchObject({ code: 'credentials_invalid' })
  })

  test.each([
    ['a public JWK', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }],
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0LWtleS1vZi1hbGljZQ' }],
    ['a key that does not sign', { kty: 'OKP', crv: 'X25519', x: 'AAAA', d: 'c2VjcmV0LWtleQ' }],
  ])('is refused at once where it is %s, without repeating it', (_what, key) => {
    const create = () => privateKeyJwt({ issuer: 'https://a.example', clientId: 'a', key })

    expect(create).toThrow(TypeError)
    expect(create).not.toThrow(/AAAA|c2Vj/)
  })
})

test('an API key is sent as it is', async () => {
  await using harness = await startWorld()
  const { alice, world } = harness
  const { apiKey: key } = await world.admin.apiKeys.create.mutate({
    agentId: alice.id,
    scopes: ['ledger:read'],
  })

  expect(await harness.call(apiKey(key))).toMatchObject({ kind: 'api_key' })
})

test('a task grant is what its tokens stand on, and end with', async () => {
  await using harness = await startWorld()
  const { alice, ledger, world } = harness
  const grant = await world.taskGrant(alice, { scopes: ['ledger:read'], audiences: [ledger] })
  const credentials = taskGrant(grant.id, alice.credentials())
  expect(await harness.call(credentials)).toMatchObject({ agentId: 'agent-alice-v1' })

  await world.revoke(grant)

  expect(await harness.call(credentials).catch(toClientError)).toMatchObject({
    code: 'token_refused',
  })
})

test('a token is exchanged at the client’s own issuer only', () => {
  // Attack: an agent that names an issuer of its own is sent the token of whoever called.
  const key = { kty: 'EC', crv: 'P-256', d: 'AAAA', x: 'AAAA', y: 'AAAA' }
  const actor = privateKeyJwt({ clientId: 'agent-clerk-v1', key })

  const exchange = () =>
    tokenExchange({ actor, subject: async () => Promise.reject(new Error('never')) })

  expect(exchange).toThrow(
    new TypeError('name the issuer of agent-clerk-v1: tokens of callers are sent to it alone'),
  )
})

describe('a wrong secret', () => {
  test('is refused once, however the clocks go', async () => {
    await using harness = await startWorld()
    const { alice, identity, world } = harness
    using _skew = world.skew(alice, 3600)
    let requests = 0
    const counting: typeof fetch = async (input, init) => {
      if (init?.method === 'POST') requests += 1
      return alice.fetch(input, init)
    }
    const secret = `cs-agent-${'x'.repeat(49)}`
    const credentials = clientSecret({ ...identity, fetch: counting, clientSecret: secret })

    const error = await harness.call(credentials).catch(toClientError)

    expect(error).toMatchObject({ code: 'token_refused', oauthError: 'invalid_client' })
    expect(requests).toBe(1)
    expect(`${inspect(error, { depth: 9 })}${JSON.stringify(error)}`).not.toContain(secret)
  })
})

test('none of them shows its secret, however it is printed', async () => {
  // Attack: a prompt, a log line or a trace that has the credentials in it.
  await using harness = await startWorld()
  const { alice, identity, world } = harness
  const key = await addKey(world, alice, 'ES256')
  const { apiKey: secretKey } = await world.admin.apiKeys.create.mutate({
    agentId: alice.id,
    scopes: ['ledger:read'],
  })
  const byKey: ClientCredentials = privateKeyJwt({ ...identity, key })
  const bound = privateKeyJwt({ ...identity, key, dpopKey: await generateDpopKey() })
  await harness.call(byKey)
  await harness.call(bound)
  const token = await byKey.client.getToken(
    { audience: harness.ledger.id, scopes: ['ledger:read'] },
    byKey.grant,
  )
  const all = {
    byKey,
    bound,
    ofKey: apiKey(secretKey),
    underGrant: taskGrant('grant-1', byKey),
    token,
    actor: tokenExchange({ actor: byKey, subject: byKey.toSubject({ scopes: [] }) }),
  }

  const printed = Object.values(all).flatMap((value: object) => [
    inspect(value, { depth: 9, showHidden: true }),
    JSON.stringify({ value, entries: Object.entries(value) }),
    Reflect.apply(Reflect.get(value, 'toString'), value, []),
  ])

  const secrets = [key.d, secretKey, token.reveal(), token.reveal().split('.')[2]]
  for (const secret of secrets) expect(printed.join('\n')).not.toContain(secret)
  expect(String(byKey)).toBe('privateKeyJwt(agent-alice-v1 at https://auth-server.test)')
})

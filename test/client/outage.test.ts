// What goes wrong at the authorization server is not the problem of whoever has a token: outages, keys that are
// rotated, tokens that are void at once. Real servers, in one process, on one clock.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { clientSecret, createAgentClient, toClientError, type AgentClient } from '@deputy/client'
import { createTestWorld } from '@deputy/testing'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'

const router = agentRouter({
  echo: scopedProcedure('ledger:read').query(() => 'here'),
  pay: scopedProcedure('ledger:write').mutation(() => 'paid'),
})

async function startWorld() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  // By default an agent wants to hear of revocations, and refuses what it cannot check after a while.
  const revocation = { maxStalenessSeconds: 3600 }
  const ledger = await world.agent('agent-ledger-v1', { router, revocation })
  const alice = await world.caller('agent-alice-v1', {
    scopes: ['ledger:read', 'ledger:write'],
    audiences: [ledger.id],
  })
  const client = alice.client(ledger)
  const resources = stack.move()
  return {
    world,
    ledger,
    alice,
    client,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

/** As many calls at once, of which none may fail. */
async function callMany(client: AgentClient<typeof router>, count = 20) {
  const calls = Array.from({ length: count }, async (_, at) =>
    at % 2 === 0 ? client.echo.query() : client.pay.mutate(),
  )
  const answers = await Promise.all(calls)
  return new Set(answers)
}

const ANSWERED = new Set(['here', 'paid'])

describe('an outage of the authorization server', () => {
  test('is not noticed until a token ends, and is over with the first answer', async () => {
    await using harness = await startWorld()
    const { client, world } = harness
    await callMany(client)
    {
      using _outage = world.outage(world.authServer)
      for (const seconds of [600, 200, 90]) {
        await world.advance(seconds)
        expect(await callMany(client)).toEqual(ANSWERED)
      }
      await world.advance(15)
      const late = client.echo.query().catch(toClientError)
      await world.settle()
      await world.advance(5)
      expect(await late).toMatchObject({ code: 'token_unavailable' })
    }

    await world.advance(60)

    expect(await callMany(client)).toEqual(ANSWERED)
  })

  test('that is short is waited out by whoever has no token yet', async () => {
    await using harness = await startWorld()
    const { alice, ledger, world } = harness
    const outage = world.outage(world.authServer)
    const call = alice.client(ledger).echo.query()
    await world.settle()

    outage.lift()
    await world.advance(2)

    expect(await call).toBe('here')
  })
})

describe('signing keys that are rotated', () => {
  test('by schedule cost no call', async () => {
    await using harness = await startWorld()
    const { client, world } = harness
    await callMany(client)
    for (let round = 0; round < 3; round += 1) {
      await world.advance(121)
      const calls = callMany(client)
      await world.rotateKeys()
      expect(await calls).toEqual(ANSWERED)
      expect(await callMany(client)).toEqual(ANSWERED)
    }
  })

  test('at once, whose tokens are void, cost one renewal and no call', async () => {
    await using harness = await startWorld()
    const { client, world } = harness
    await callMany(client)

    await world.rotateKeys({ immediately: true })
    await world.advance(121)

    expect(await callMany(client, 100)).toEqual(ANSWERED)
  })
})

test('a hundred callers whose token was revoked ask for one new one', async () => {
  // The complaint about another client: five calls after a revocation made five requests for a token.
  await using harness = await startWorld()
  const { alice, ledger, world } = harness
  const secret = await world.admin.clientSecrets.create.mutate({ agentId: alice.id })
  let tokenRequests = 0
  const credentials = clientSecret({
    issuer: world.issuer,
    clientId: alice.id,
    clientSecret: secret.clientSecret,
    clock: alice.clock,
    fetch: async (input, init) => {
      if (init?.method === 'POST') tokenRequests += 1
      return alice.fetch(input, init)
    },
  })
  const target = { audience: ledger.id, scopes: [] }
  const { fetch } = alice
  const client = createAgentClient<typeof router>({
    url: ledger.url,
    ...target,
    credentials,
    fetch,
  })
  await callMany(client)
  const token = await credentials.client.getToken(target, credentials.grant)
  const tokenId = decodeJwt(token.reveal()).jti ?? ''

  await world.admin.tokens.revoke.mutate({ agentId: alice.id, tokenId })
  await world.settle()

  expect(await callMany(client, 100)).toEqual(ANSWERED)
  expect(tokenRequests).toBe(2)
})

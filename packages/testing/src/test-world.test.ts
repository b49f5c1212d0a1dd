import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { createAgentClient } from '@deputy/client'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import {
  createTestWorld,
  refusal,
  TestWorldError,
  type Callable,
  type Caller,
  type TestWorld,
} from './index.ts'

const ledgerRouter = agentRouter({
  balance: scopedProcedure('ledger:read').query(({ ctx }) => ({
    of: ctx.principal.subject,
    by: ctx.principal.agentId,
  })),
  pay: scopedProcedure('ledger:write')
    .input(z.object({ amountMinor: z.int() }))
    .mutation(({ input }) => input.amountMinor),
  fail: scopedProcedure('ledger:read').query((): string => {
    throw new Error('the disk is on fire')
  }),
})

async function populate(world: TestWorld) {
  const ledger = await world.agent('agent-ledger-v1', { router: ledgerRouter })
  const alice = await world.caller('agent-alice-v1', {
    scopes: ['ledger:read'],
    audiences: [ledger.id],
  })
  const client = alice.client(ledger)
  return { ledger, alice, client }
}

/** An agent that works for its callers at the ledger. */
function createClerkRouter(self: Caller, ledger: Callable<typeof ledgerRouter>) {
  return agentRouter({
    check: scopedProcedure('clerk:use').query(async ({ ctx }) => {
      const token = await self.actFor(ctx).token(ledger, { scopes: ['ledger:read'] })
      return [token.claims.sub, token.claims.act?.sub]
    }),
    balance: scopedProcedure('clerk:use').query(async ({ ctx }) => {
      const client = self.actFor(ctx).client(ledger, {
        scopes: ['ledger:read'],
      })
      return client.balance.query()
    }),
  })
}

describe('a call', () => {
  test('is answered to whoever may', async () => {
    await using world = await createTestWorld()
    const { client } = await populate(world)

    await expect(client.balance.query()).resolves.toEqual({
      of: 'agent-alice-v1',
      by: 'agent-alice-v1',
    })
  })

  test('needs no more than the URL of the agent, which says who it is and whose tokens it takes', async () => {
    await using world = await createTestWorld()
    const { alice, ledger } = await populate(world)
    const { fetch } = alice
    await using client = createAgentClient<typeof ledgerRouter>({
      url: ledger.url,
      credentials: alice.credentials(),
      discovery: { fetch },
      fetch,
    })

    await expect(client.balance.query()).resolves.toMatchObject({ by: 'agent-alice-v1' })
  })

  test('is refused with the scope that is missing', async () => {
    await using world = await createTestWorld()
    const { client } = await populate(world)

    const refused = await refusal(client.pay.mutate({ amountMinor: 1 }))

    expect(refused).toMatchObject({
      code: 'scope_missing',
      status: 403,
      requiredScopes: ['ledger:write'],
    })
    await expect(refusal(client.balance.query())).rejects.toThrow('was carried out')
  })

  test('is made in the name of whoever called, where an agent acts for it', async () => {
    await using world = await createTestWorld()
    const { ledger } = await populate(world)
    const clerk = await world.agent('agent-clerk-v1', {
      router: (self) => createClerkRouter(self, ledger),
      scopes: ['ledger:read'],
      audiences: [ledger.id],
      delegation: { to: [ledger.id], maxDepth: 1 },
    })
    const bob = await world.caller('agent-bob-v1', {
      scopes: ['clerk:use', 'ledger:read'],
      audiences: [clerk.id],
      delegation: { to: [clerk.id], maxDepth: 2 },
    })
    const client = bob.client(clerk, { scopes: ['clerk:use', 'ledger:read'] })

    expect(await client.check.query()).toEqual(['agent-bob-v1', 'agent-clerk-v1'])
    expect(await client.balance.query()).toEqual({ of: 'agent-bob-v1', by: 'agent-clerk-v1' })
    const exchanged = await world.audit({ subjectId: 'agent-bob-v1', actorId: 'agent-clerk-v1' })
    expect(exchanged.map(({ outcome }) => outcome)).toContain('success')
  })
})

describe('what was revoked', () => {
  test.each([
    ['an agent', ({ alice }) => alice],
    ['its secret', ({ alice }) => alice.secret],
  ] satisfies [string, (at: Awaited<ReturnType<typeof populate>>) => Caller | Caller['secret']][])(
    'is refused at the next call: %s',
    async (_what, choose) => {
      await using world = await createTestWorld()
      const people = await populate(world)
      const token = await people.alice.token(people.ledger)
      const call = async () =>
        get(people.alice, `${people.ledger.url}/trpc/balance`, token.reveal())
      expect((await call()).status).toBe(200)

      await world.revoke(choose(people))

      const answer = await call()
      expect([answer.status, await answer.text()]).toEqual([
        401,
        expect.stringContaining('token_revoked'),
      ])
    },
  )

  test('is one token, and no other of the same agent', async () => {
    await using world = await createTestWorld()
    const { alice, ledger } = await populate(world)
    const [first, second] = [await alice.token(ledger), await alice.token(ledger)]

    await world.revoke(first)

    const statuses = []
    for (const token of [first, second]) {
      const answer = await get(alice, `${ledger.url}/trpc/balance`, token.reveal())
      statuses.push(answer.status)
    }
    expect(statuses).toEqual([401, 200])
  })

  test('is a task grant, with what stands on it', async () => {
    await using world = await createTestWorld()
    const { alice, ledger } = await populate(world)
    const grant = await world.taskGrant(alice, { scopes: ['ledger:read'], audiences: [ledger] })
    const client = alice.client(ledger, { taskGrant: grant, scopes: ['ledger:read'] })
    await client.balance.query()

    await world.revoke(grant)

    expect(await refusal(client.balance.query())).toMatchObject({ code: 'token_refused' })
  })
})

describe('time', () => {
  test('passes for tokens: an old one is refused, and a client has a new one by then', async () => {
    await using world = await createTestWorld()
    const { alice, client, ledger } = await populate(world)
    const token = await alice.token(ledger)
    await client.balance.query()

    await world.advance(16 * 60)

    const answer = await get(alice, `${ledger.url}/trpc/balance`, token.reveal())
    expect([answer.status, await answer.text()]).toEqual([
      401,
      expect.stringContaining('token_expired'),
    ])
    await expect(client.balance.query()).resolves.toBeDefined()
  })

  test('passes for heartbeats: no agent loses the feed, in an hour or in a month', async () => {
    await using world = await createTestWorld()
    const { client } = await populate(world)
    const start = world.now()

    await world.advance(20 * 60)
    await world.advance(31 * 24 * 60 * 60)

    expect(world.now() - start).toBe(20 * 60 + 31 * 24 * 60 * 60)
    await client.balance.query()
    expect(await world.audit({ event: 'signing_key.rotated' })).toHaveLength(1)
    expect(world.logs.findLast(({ name }) => name === 'agent-ledger-v1')?.msg).toBe('call')
  })

  test('is what a call is given up by', async () => {
    await using world = await createTestWorld()
    const { alice, client, ledger } = await populate(world)
    await client.balance.query()
    using _slow = world.slow(ledger, { ms: 90_000 })
    const states: string[] = []
    const given = refusal(alice.client(ledger, { timeoutMs: 5000 }).balance.query())
    void given.then(({ code }) => states.push(code))

    await world.advance(4)
    expect(states).toEqual([])
    await world.advance(1)
    expect(states).toEqual(['deadline_exceeded'])
    expect(await world.whileTimePasses(refusal(client.balance.query()))).toMatchObject({
      code: 'deadline_exceeded',
    })
  })

  test('is what a call that is tried again waits by', async () => {
    await using world = await createTestWorld()
    const { client, ledger } = await populate(world)
    await client.balance.query()
    world.failing(ledger, { times: 1, retryAfterSeconds: 7 })
    const start = world.now()

    await world.whileTimePasses(client.balance.query())

    expect(world.now() - start).toBe(7)
  })

  test('passes for whoever is asked how far a revocation would reach, and does not say', async () => {
    await using world = await createTestWorld()
    const { ledger } = await populate(world)
    using _lost = world.loseFeed(ledger, { silently: true })
    const ask = world.admin.revocations.preview.query({ kind: 'agent', agentId: 'agent-alice-v1' })

    const { verifiers } = await world.whileTimePasses(ask)

    expect(verifiers.map(({ open }) => open)).toEqual(verifiers.map(() => undefined))
  })

  test('passes only so far for what does not come', async () => {
    await using world = await createTestWorld()
    await populate(world)
    const { promise } = Promise.withResolvers<void>()
    const start = world.now()

    await expect(world.whileTimePasses(promise, 60)).rejects.toThrow(/within 60 seconds/)

    expect(world.now() - start).toBeLessThanOrEqual(60)
  })

  test('is what answers are dated by', async () => {
    await using world = await createTestWorld()
    const { alice, ledger } = await populate(world)
    using _skew = world.skew(ledger, -60)

    const dates = await Promise.all(
      [world.issuer, ledger.url].map(async (url) => {
        const { headers } = await alice.fetch(`${url}/livez`)
        return Date.parse(headers.get('date') ?? '') / 1000 - world.now()
      }),
    )

    expect(dates).toEqual([0, -60])
  })

  test('is wrong for one party, when it has to be', async () => {
    await using world = await createTestWorld()
    const { client, ledger } = await populate(world)

    using _skew = world.skew(ledger, 20 * 60)

    expect(await refusal(client.balance.query())).toMatchObject({ code: 'token_expired' })
    _skew.lift()
    await expect(client.balance.query()).resolves.toBeDefined()
    await expect(world.advance(-1)).rejects.toThrow(TypeError)
  })
})

describe('a fault', () => {
  test('is an outage of the authorization server: tokens go on to work, new ones are not to be had', async () => {
    await using world = await createTestWorld()
    const { client, ledger } = await populate(world)
    const bob = await world.caller('agent-bob-v1', {
      scopes: ['ledger:read'],
      audiences: [ledger.id],
    })
    const late = bob.client(ledger)
    await client.balance.query()

    {
      using _outage = world.outage(world.authServer)
      await expect(client.balance.query()).resolves.toBeDefined()
      const refused = refusal(late.balance.query())
      expect(await world.whileTimePasses(refused)).toMatchObject({ code: 'token_unavailable' })
    }

    await expect(late.balance.query()).resolves.toBeDefined()
  })

  test('is an outage between two: others go on, and it is told who asked for what', async () => {
    await using world = await createTestWorld()
    const { alice, client, ledger } = await populate(world)
    const settings = { scopes: ['ledger:read'], audiences: [ledger.id] }
    const bob = await world.caller('agent-bob-v1', settings)
    await client.balance.query()
    using _outage = world.outage(ledger, { from: bob })
    const before = world.requests.length

    const refused = refusal(bob.client(ledger).balance.query())

    expect(await world.whileTimePasses(refused)).toMatchObject({ code: 'network_error' })
    await client.balance.query()
    expect(world.requests.slice(before).filter(({ path }) => path.startsWith('/trpc'))).toEqual([
      { from: alice.id, to: ledger.id, path: '/trpc/balance' },
    ])
  })

  test('is an answer of 503, as often as was said', async () => {
    await using world = await createTestWorld()
    const { alice, ledger } = await populate(world)
    world.failing(ledger, { path: '/livez', status: 503, times: 1, retryAfterSeconds: 7 })

    const first = await alice.fetch(`${ledger.url}/livez`)
    const second = await alice.fetch(`${ledger.url}/livez`)

    expect([first.status, first.headers.get('retry-after'), second.status]).toEqual([503, '7', 200])
  })

  test('is latency: an answer comes when the time has passed, not before', async () => {
    await using world = await createTestWorld()
    const { alice, ledger } = await populate(world)
    using _slow = world.slow(ledger, { ms: 2000 })
    const states: string[] = []
    const answer = alice.fetch(`${ledger.url}/livez`).then(() => states.push('answered'))

    await world.advance(1)
    expect(states).toEqual([])
    await world.advance(1)
    await answer

    expect(states).toEqual(['answered'])
  })

  test.each([true, false])(
    'is a lost feed (silently: %s): the agent asks about each token meanwhile, and catches up',
    async (silently) => {
      await using world = await createTestWorld()
      const { alice, ledger } = await populate(world)
      const token = await alice.token(ledger)
      const fault = world.loseFeed(ledger, { silently })
      await world.revoke(token)
      const call = async () => get(alice, `${ledger.url}/trpc/balance`, token.reveal())
      expect((await call()).status).toBe(200)

      await world.advance(61)
      expect((await call()).status).toBe(401)

      fault.lift()
      await world.advance(30)
      expect(world.logs.at(-1)?.msg).toBe('following the revocation feed')
    },
  )

  test('is a rotation of keys: by schedule nobody notices, immediately old tokens are void', async () => {
    await using world = await createTestWorld()
    const { alice, client, ledger } = await populate(world)
    await client.balance.query()
    await world.advance(121)
    await world.rotateKeys()
    await expect(client.balance.query()).resolves.toBeDefined()
    const token = await alice.token(ledger)

    await world.rotateKeys({ immediately: true })
    await world.advance(121)

    const answer = await get(alice, `${ledger.url}/trpc/balance`, token.reveal())
    expect(answer.status).toBe(401)
    await expect(alice.client(ledger).balance.query()).resolves.toBeDefined()
  })
})

describe('at its end a world fails', () => {
  test('for an error in a log that nobody expected', async () => {
    const world = await createTestWorld()
    const { client } = await populate(world)
    await refusal(client.fail.query())

    await expect(world[Symbol.asyncDispose]()).rejects.toThrow(/agent-ledger-v1.*disk is on fire/s)
  })

  test('and not for one that was', async () => {
    const world = await createTestWorld()
    world.expectErrors(/disk is on fire/)
    const { client } = await populate(world)
    expect(await refusal(client.fail.query())).toMatchObject({ code: 'internal_error' })

    await world[Symbol.asyncDispose]()
  })

  test('for a secret in a log, which it does not repeat', async () => {
    const world = await createTestWorld()
    const leaky = await world.agent('agent-leaky-v1', {
      router: agentRouter({
        leak: scopedProcedure('leak:use').query(({ ctx }): string => {
          throw new Error(`was called with ${ctx.getSubjectToken()?.reveal() ?? ''}`)
        }),
      }),
    })
    const alice = await world.caller('agent-alice-v1', {
      scopes: ['leak:use'],
      audiences: [leaky.id],
    })
    await refusal(alice.client(leaky).leak.query())

    const error: unknown = await world[Symbol.asyncDispose]().then(undefined, (e: unknown) => e)

    expect(error).toBeInstanceOf(TestWorldError)
    expect(String(error)).toMatch(/agent-leaky-v1 logged a token or a secret/)
    expect(String(error)).not.toContain('eyJ')
  })
})

test('calls go over one WebSocket as well, which lives on when its token is renewed', async () => {
  await using world = await createTestWorld()
  const { alice, ledger } = await populate(world)
  const client = alice.client(ledger, { transport: 'websocket' })

  await client.balance.query()
  await world.advance(20 * 60)

  await expect(client.balance.query()).resolves.toMatchObject({ by: 'agent-alice-v1' })
  expect(await refusal(client.pay.mutate({ amountMinor: 1 }))).toMatchObject({
    code: 'scope_missing',
  })
})

test('sockets are real: a WebSocket is opened, and closes with what was agreed', async () => {
  await using world = await createTestWorld()
  const { alice, ledger } = await populate(world)
  const token = await alice.token(ledger)

  const socket = new alice.WebSocket(
    `${ledger.url.replace(/^https/, 'wss')}/trpc?connectionParams=1`,
  )
  const opened = Promise.withResolvers<void>()
  socket.addEventListener('open', () => opened.resolve())
  await opened.promise
  const heard = Promise.withResolvers<string>()
  socket.addEventListener('message', ({ data }) => heard.resolve(String(data)))
  const data = { authorization: `Bearer ${token.reveal()}` }
  socket.send(JSON.stringify({ method: 'connectionParams', data }))
  socket.send(JSON.stringify({ id: 1, method: 'query', params: { path: 'balance' } }))

  expect(JSON.parse(await heard.promise)).toMatchObject({
    id: 1,
    result: { data: { of: 'agent-alice-v1' } },
  })
  const closed = Promise.withResolvers<number>()
  socket.addEventListener('close', ({ code }) => closed.resolve(code))
  await world.advance(16 * 60)
  expect(await closed.promise).toBe(4401)
})

async function get(caller: Caller, url: string, token: string): Promise<Response> {
  return caller.fetch(url, { headers: { authorization: `Bearer ${token}` } })
}

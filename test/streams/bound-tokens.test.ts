// Tokens that are bound to a key (RFC 9449), on every way that a call can come: the same checks, and the same refusals.
import { createDpopNonces } from '@deputy/auth'
import { describe, expect, test } from 'vitest'
import { makeBadProofs } from '../conformance/dpop.ts'
import { openWebSocket } from '../support/raw-socket.ts'
import { startTestAgent, type TestAgent, type TestAgentOptions } from '../support/test-agent.ts'
import { createProofKey, signProof, toAth } from '../support/test-proof.ts'

type Credentials = { readonly authorization: string; readonly dpop?: string }

/** A way to call, and what a proof for it is made for. */
type Way = {
  readonly name: string
  readonly method: string
  readonly path: string
  /** Calls, and answers with all that came back. */
  readonly call: (agent: TestAgent, credentials: Credentials) => Promise<string>
}

type Init = { readonly method?: string; readonly headers?: Record<string, string> }

const overHttp =
  (path: string, init: Init = {}): Way['call'] =>
  async (agent, credentials) => {
    const hangUp = new AbortController()
    const answer = await fetch(agent.url + path, {
      ...init,
      signal: hangUp.signal,
      headers: { ...credentials, 'content-type': 'application/json', ...init.headers },
    })
    let text = answer.headers.get('dpop-nonce') ?? ''
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
    for (;;) {
      const chunk = await reader?.read()
      text += chunk?.value ?? ''
      // A stream does not end by itself: its first value says that it was let in.
      if (chunk?.done !== false || text.includes('\nid: 1')) break
    }
    hangUp.abort()
    return text
  }

const WHO_AM_I = { id: 1, jsonrpc: '2.0', method: 'query', params: { path: 'whoAmI' } }

const WAYS: readonly Way[] = [
  { name: 'a query', method: 'GET', path: '/trpc/whoAmI', call: overHttp('/trpc/whoAmI') },
  {
    name: 'a call by POST',
    method: 'POST',
    path: '/trpc/whoAmI',
    call: overHttp('/trpc/whoAmI', { method: 'POST' }),
  },
  {
    name: 'a batch',
    method: 'GET',
    path: '/trpc/whoAmI,whoAmI',
    call: overHttp('/trpc/whoAmI,whoAmI?batch=1'),
  },
  {
    name: 'a batch whose answers come one by one',
    method: 'GET',
    path: '/trpc/whoAmI,whoAmI',
    call: overHttp('/trpc/whoAmI,whoAmI?batch=1', {
      headers: { 'trpc-accept': 'application/jsonl' },
    }),
  },
  {
    name: 'a subscription by SSE',
    method: 'GET',
    path: '/trpc/ticks',
    call: overHttp('/trpc/ticks', { headers: { accept: 'text/event-stream' } }),
  },
  {
    name: 'a WebSocket, by its first message',
    method: 'GET',
    path: '/trpc',
    async call(agent, credentials) {
      const url = `ws://127.0.0.1:${String(agent.port)}/trpc?connectionParams=1`
      await using connection = await openWebSocket(url)
      connection.send({ method: 'connectionParams', data: credentials })
      connection.send(WHO_AM_I)
      return JSON.stringify(await connection.message(0))
    },
  },
  {
    name: 'a WebSocket, by its handshake',
    method: 'GET',
    path: '/trpc',
    async call(agent, credentials) {
      const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
      await using connection = await openWebSocket(url, { ...credentials })
      connection.send(WHO_AM_I)
      return JSON.stringify(await connection.message(0))
    },
  },
]

async function setUp(way: Way, options: TestAgentOptions = {}) {
  const agent = await startTestAgent(options)
  agent.ticker.tickTo(1)
  const key = await createProofKey()
  const token = await agent.token({ cnf: { jkt: key.jkt } })
  const good = {
    htm: way.method,
    htu: agent.url + way.path,
    iat: agent.clock.now(),
    ath: toAth(token),
  }
  const send = async (credentials: Credentials) => {
    const text = await way.call(agent, credentials)
    return { text, outcome: /"reason":"(\w+)"/.exec(text)?.[1] ?? 'accepted' }
  }
  const present = async (dpop: string) =>
    (await send({ authorization: `DPoP ${token}`, dpop })).outcome
  return { agent, key, token, good, send, present, [Symbol.asyncDispose]: agent.close }
}

describe.each(WAYS)('$name', (way) => {
  test('takes a bound token with a good proof, once', async () => {
    await using world = await setUp(way)
    const proof = await signProof(world.key, world.good)

    expect([await world.present(proof), await world.present(proof)]).toEqual([
      'accepted',
      'dpop_proof_invalid',
    ])
  })

  test('refuses each proof that breaks a rule', async () => {
    await using world = await setUp(way)
    const { good, key, present } = world
    const thief = await createProofKey()
    const bad = [
      ...(await makeBadProofs(key, good)),
      ['12: without the token', await signProof(key, good, { claims: { ath: undefined } })],
      ['12: another token', await signProof(key, good, { claims: { ath: toAth('other') } })],
      ["12: another key than the token's", await signProof(thief, good)],
    ] as const

    const outcomes: (readonly string[])[] = []
    for (const [rule, proof] of bad) outcomes.push([rule, await present(proof)])

    expect(outcomes).toEqual(bad.map(([rule]) => [rule, 'dpop_proof_invalid']))
  })

  test('refuses a bound token without its proof, and as Bearer', async () => {
    // Attack: a token stolen from a log or a proxy, without its key.
    await using world = await setUp(way)
    const { send, token } = world

    const without = await send({ authorization: `DPoP ${token}` })
    const downgraded = await send({ authorization: `Bearer ${token}` })

    expect([without.outcome, downgraded.outcome]).toEqual([
      'token_binding_missing',
      'token_binding_missing',
    ])
  })

  test('tells the nonce that a proof needs, and takes the proof that has it', async () => {
    const clock = { now: () => 1_800_000_000 }
    const dpopNonces = createDpopNonces({ clock, secret: new Uint8Array(32).fill(5) })
    await using world = await setUp(way, { dpopNonces })
    const { good, key, present, send, token } = world

    const refused = await send({
      authorization: `DPoP ${token}`,
      dpop: await signProof(key, good),
    })
    const nonce = dpopNonces.issue()
    const taken = await present(await signProof(key, { ...good, nonce }))

    expect([refused.outcome, taken]).toEqual(['dpop_nonce_required', 'accepted'])
    expect(refused.text).toContain(nonce)
  })
})

test('an answer has the nonce for the next proof, so that nobody is refused to learn it', async () => {
  const clock = { now: () => 1_800_000_000 }
  const dpopNonces = createDpopNonces({ clock, secret: new Uint8Array(32).fill(5) })
  for (const way of WAYS.filter(({ name }) => !/WebSocket|one by one/.test(name))) {
    await using world = await setUp(way, { dpopNonces })
    const { agent, good, key, token } = world
    const dpop = await signProof(key, { ...good, nonce: dpopNonces.issue() })

    const bound = await way.call(agent, { authorization: `DPoP ${token}`, dpop })
    const bearer = await way.call(agent, { authorization: `Bearer ${await agent.token()}` })

    expect([way.name, bound.includes(dpopNonces.issue())]).toEqual([way.name, true])
    // Who proves nothing is told nothing.
    expect(bearer).not.toContain(dpopNonces.issue())
  }
})

describe('an agent that takes bound tokens only', () => {
  test('refuses any other credential, on each way', async () => {
    for (const way of WAYS) {
      await using world = await setUp(way, { isDpopRequired: true })
      const { agent, good, key, present, send } = world

      const bearer = await send({ authorization: `Bearer ${await agent.token()}` })
      const apiKey = await send({ authorization: `Bearer ${agent.apiKey.value}` })
      const bound = await present(await signProof(key, good))

      expect([way.name, bearer.outcome, apiKey.outcome, bound]).toEqual([
        way.name,
        'token_binding_required',
        'api_key_not_accepted',
        'accepted',
      ])
    }
  })

  test.each([true, false])('says in its metadata whether it does: %s', async (isDpopRequired) => {
    await using agent = await startTestAgent({ isDpopRequired })

    const metadata = await fetch(`${agent.url}/.well-known/oauth-protected-resource`)

    expect(await metadata.json()).toMatchObject({
      dpop_signing_alg_values_supported: expect.arrayContaining(['ES256', 'EdDSA']),
      dpop_bound_access_tokens_required: isDpopRequired,
    })
  })
})

// Tokens that are bound to a key (RFC 9449), over real sockets.
import { createDpopNonces } from '@deputy/auth'
import { describe, expect, test } from 'vitest'
import { bearer, callTrpc } from '../../../test/support/call-trpc.ts'
import { oauth } from '../../../test/support/independent-client.ts'
import { openWebSocket } from '../../../test/support/raw-socket.ts'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { startTestAgent, type TestAgent } from '../../../test/support/test-agent.ts'
import { createProofKey, signProof, toAth } from '../../../test/support/test-proof.ts'

const alice = await createProofKey()

type Proof = { readonly method: string; readonly url: string; readonly nonce?: string }

/** What a caller sends who has a bound token and its key. */
async function prove(agent: TestAgent, token: string, { method, nonce, url }: Proof) {
  const claims = { htm: method, htu: url, iat: agent.clock.now(), ath: toAth(token), nonce }
  return { authorization: `DPoP ${token}`, dpop: await signProof(alice, claims) }
}

async function issueBound(agent: TestAgent): Promise<string> {
  return agent.token({ cnf: { jkt: alice.jkt } })
}

describe('over HTTP', () => {
  test('a bound token is taken with a proof for the URL of the call, once', async () => {
    await using agent = await startTestAgent()
    const token = await issueBound(agent)
    const headers = await prove(agent, token, { method: 'GET', url: `${agent.url}/trpc/echo` })
    const options = { input: { text: 'hello' }, headers }

    const first = await callTrpc(agent.url, 'echo', options)
    const again = await callTrpc(agent.url, 'echo', options)

    expect([first.status, first.data()]).toEqual([200, 'hello'])
    expect([again.status, again.error().data['reason']]).toEqual([401, 'dpop_proof_invalid'])
    expect(again.header('www-authenticate')).toMatch(/^DPoP error="invalid_dpop_proof", /)
  })

  test('one proof is for all calls of a batch', async () => {
    await using agent = await startTestAgent()
    const token = await issueBound(agent)
    const url = `${agent.url}/trpc/whoAmI,whoAmI`
    const headers = await prove(agent, token, { method: 'GET', url })

    const answer = await callTrpc(agent.url, 'whoAmI,whoAmI?batch=1', { headers })

    expect(answer.answers()).toMatchObject([
      { result: { data: { confirmation: { jkt: alice.jkt } } } },
      { result: { data: { confirmation: { jkt: alice.jkt } } } },
    ])
  })

  test('a bound token as Bearer is refused', async () => {
    // Attack: a token stolen from a log or a proxy, without its key.
    await using agent = await startTestAgent()

    const answer = await callTrpc(agent.url, 'whoAmI', { headers: bearer(await issueBound(agent)) })

    expect([answer.status, answer.error().data['reason']]).toEqual([401, 'token_binding_missing'])
    expect(answer.header('www-authenticate')).toMatch(/^DPoP error="invalid_token", .*algs="ES256 /)
  })

  test.each([
    ['another procedure', (url: string) => `${url}/trpc/pay`],
    ['another agent', () => 'https://evil.example/trpc/whoAmI'],
  ])('a proof for %s is refused', async (_what, toUrl) => {
    await using agent = await startTestAgent()
    const token = await issueBound(agent)
    const headers = await prove(agent, token, { method: 'GET', url: toUrl(agent.url) })

    const answer = await callTrpc(agent.url, 'whoAmI', { headers })

    expect(answer.error()).toMatchObject({ message: expect.stringContaining('htu') })
  })

  test('proofs are for the public URL, whatever the request says of its host', async () => {
    // Attack: a Host of the caller's choice, to make a proof for another agent fit.
    await using agent = await startTestAgent({ publicUrl: 'https://billing.example' })
    const token = await issueBound(agent)
    const call = async (url: string) =>
      callTrpc(agent.url, 'whoAmI', { headers: await prove(agent, token, { method: 'GET', url }) })

    const [local, named] = [
      await call(`${agent.url}/trpc/whoAmI`),
      await call('https://billing.example/trpc/whoAmI'),
    ]

    expect([local.status, named.status]).toEqual([401, 200])
  })

  test('an agent that requires nonces tells the one to use', async () => {
    const nonces = createDpopNonces({
      clock: createSettableClock(),
      secret: new Uint8Array(32).fill(5),
    })
    await using agent = await startTestAgent({ dpopNonces: nonces })
    const token = await issueBound(agent)
    const request = { method: 'GET', url: `${agent.url}/trpc/whoAmI` }

    const first = await callTrpc(agent.url, 'whoAmI', {
      headers: await prove(agent, token, request),
    })
    const nonce = first.header('dpop-nonce') ?? ''
    const second = await callTrpc(agent.url, 'whoAmI', {
      headers: await prove(agent, token, { ...request, nonce }),
    })

    expect([first.status, first.error().data['reason']]).toEqual([401, 'dpop_nonce_required'])
    expect(second.status).toBe(200)
  })

  test('oauth4webapi calls with a token that is bound to its key', async () => {
    await using agent = await startTestAgent()
    agent.clock.set(Math.floor(Date.now() / 1000))
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const keyPair = await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
    const handle = oauth.DPoP({}, keyPair)
    const token = await agent.token({ cnf: { jkt: await handle.calculateThumbprint() } })

    const answer = await oauth.protectedResourceRequest(
      token,
      'GET',
      new URL(`${agent.url}/trpc/whoAmI`),
      new Headers(),
      undefined,
      { DPoP: handle, [oauth.allowInsecureRequests]: true },
    )

    expect(answer.status).toBe(200)
  })
})

describe('over WebSocket', () => {
  const call = { id: 1, jsonrpc: '2.0', method: 'query', params: { path: 'whoAmI' } }

  async function connect(agent: TestAgent, credentials: Record<string, string>) {
    const url = `ws://127.0.0.1:${String(agent.port)}/trpc?connectionParams=1`
    const connection = await openWebSocket(url)
    connection.send({ method: 'connectionParams', data: credentials })
    connection.send(call)
    return connection
  }

  test('a proof for GET of the endpoint opens one connection', async () => {
    // Attack: the first message of a connection, seen and sent again on another one.
    await using agent = await startTestAgent()
    const token = await issueBound(agent)
    const credentials = await prove(agent, token, { method: 'GET', url: `${agent.url}/trpc` })

    await using first = await connect(agent, credentials)
    expect(await first.message(0)).toMatchObject({
      result: { data: { confirmation: { jkt: alice.jkt } } },
    })
    first.send({ ...call, id: 2 })
    expect(await first.message(1)).toMatchObject({ id: 2, result: {} })

    await using second = await connect(agent, credentials)
    expect(await second.message(0)).toMatchObject({
      error: { data: { reason: 'dpop_proof_invalid' } },
    })
  })

  test('a proof that was made for a call over HTTP opens none', async () => {
    await using agent = await startTestAgent()
    const token = await issueBound(agent)
    const url = `${agent.url}/trpc/whoAmI`

    await using connection = await connect(agent, await prove(agent, token, { method: 'GET', url }))

    expect(await connection.message(0)).toMatchObject({
      error: { data: { reason: 'dpop_proof_invalid' } },
    })
  })

  test('a bound token as Bearer opens none', async () => {
    await using agent = await startTestAgent()

    await using connection = await connect(agent, bearer(await issueBound(agent)))

    expect(await connection.message(0)).toMatchObject({
      error: { data: { reason: 'token_binding_missing' } },
    })
  })

  test('a connection ends its authority with its token', async () => {
    await using agent = await startTestAgent()
    const token = await issueBound(agent)
    const credentials = await prove(agent, token, { method: 'GET', url: `${agent.url}/trpc` })
    await using connection = await connect(agent, credentials)
    await connection.message(0)

    agent.clock.advance(900)

    expect(await connection.closed).toBe(4401)
  })
})

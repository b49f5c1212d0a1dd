// RFC 9449, OAuth 2.0 Demonstrating Proof of Possession (DPoP), by the client of Deputy.
import { clientSecret, generateDpopKey, toClientError } from '@deputy/client'
import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import {
  createFakeTokenEndpoint,
  tokenAnswer,
  type AnswerTokenRequest,
} from '../support/fake-token-endpoint.ts'
import { ISSUER } from '../support/test-issuer.ts'
import { verifies } from './verifies.ts'

/** Asks for a token for each audience in turn, and reads the proofs that were sent. */
async function ask(answer: AnswerTokenRequest, audiences: readonly string[]) {
  const endpoint = createFakeTokenEndpoint(answer)
  const credentials = clientSecret({
    issuer: ISSUER,
    clientId: 'agent-alice',
    clientSecret: 'cs-agent-hunter2',
    dpopKey: await generateDpopKey(),
    fetch: endpoint.fetch,
    random: () => 0,
  })
  const outcomes: unknown[] = []
  for (const audience of audiences) {
    const authorizer = credentials({ audience, scopes: [] })
    outcomes.push(await authorizer.authorize().then(() => 'a token', toClientError))
  }
  const proofs = endpoint.requests.map(({ headers }) => decodeJwt(headers.get('dpop') ?? ''))
  return { outcomes, proofs }
}

const bound = (nonce?: string): Response => {
  const answer = tokenAnswer('token', { token_type: 'DPoP' })
  if (nonce !== undefined) answer.headers.set('dpop-nonce', nonce)
  return answer
}

verifies('rfc9449-4.2-jti-unique', 'gives each proof a random id of its own', async () => {
  const audiences = Array.from({ length: 20 }, (_, place) => `agent-${String(place)}`)

  const { proofs } = await ask(() => bound(), audiences)

  const ids = proofs.map(({ jti }) => jti ?? '')
  expect(new Set(ids).size).toBe(audiences.length)
  // A version 4 UUID has 122 random bits; the RFC asks for 96.
  for (const id of ids)
    expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
})

verifies('rfc9449-5-client-discards', 'takes no token that is bound to no key', async () => {
  // Attack: who stands in front of the server takes the proof off, and steals the bearer token later.
  const { outcomes } = await ask(() => tokenAnswer('token'), ['agent-bob'])

  expect(outcomes).toMatchObject([{ code: 'token_response_invalid' }])
})

verifies('rfc9449-8.2-client-uses-new', 'goes on with the nonce that came last', async () => {
  const nonces = ['one', undefined, 'two', undefined]

  const { outcomes, proofs } = await ask(
    (at) => bound(nonces[at]),
    ['agent-1', 'agent-2', 'agent-3', 'agent-4'],
  )

  expect(outcomes).toEqual(outcomes.map(() => 'a token'))
  expect(proofs.map(({ nonce }) => nonce)).toEqual([undefined, 'one', 'one', 'two'])
})

// Proofs of a client that is not ours, in the real time that it makes them in.
import { generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { oauth } from '../../../../test/support/independent-client.ts'
import { systemClock } from '../protocol/index.ts'
import { createDpopNonces } from './dpop-proof-nonces.ts'
import { createDpopProofVerifier } from './dpop-proof.ts'
import { createLocalReplayMemory } from './replay-memory.ts'

const URL_HERE = 'https://billing.example/trpc/invoices.pay'
const TOKEN = 'a.good.token'

function createVerifier() {
  return createDpopProofVerifier({ replayMemory: createLocalReplayMemory({ clock: systemClock }) })
}

test.each(['ES256', 'ES384', 'ES512', 'RS256', 'PS256', 'Ed25519'])(
  'an %s proof of oauth4webapi for a resource passes once',
  async (algorithm) => {
    const verifier = createVerifier()
    const handle = oauth.DPoP({}, await generateKeyPair(algorithm))
    const verified: boolean[] = []
    await oauth.protectedResourceRequest(
      TOKEN,
      'POST',
      new URL(`${URL_HERE}?batch=1`),
      new Headers(),
      '{}',
      {
        DPoP: handle,
        async [oauth.customFetch](url, { headers, method }) {
          const proofs = [new Headers(headers).get('dpop') ?? '']
          const request = { proofs, method, url, accessToken: TOKEN }
          verified.push((await verifier.verify(request)).ok, (await verifier.verify(request)).ok)
          return new Response('{}')
        },
      },
    )

    expect(verified).toEqual([true, false])
  },
)

test('oauth4webapi comes back with the nonce that it is told, for the key that it says', async () => {
  const verifier = createVerifier()
  const nonces = createDpopNonces({ clock: systemClock, secret: new Uint8Array(32).fill(3) })
  const client = { client_id: 'agent-alice' }
  const handle = oauth.DPoP({}, await generateKeyPair('ES256'))
  const issuer = { issuer: 'https://as.example', token_endpoint: 'https://as.example/oauth/token' }
  const results: unknown[] = []
  const ask = async (): Promise<oauth.TokenEndpointResponse> => {
    const response = await oauth.clientCredentialsGrantRequest(
      issuer,
      client,
      oauth.ClientSecretPost('secret'),
      new URLSearchParams(),
      {
        DPoP: handle,
        async [oauth.customFetch](url, { headers, method }) {
          const proofs = [new Headers(headers).get('dpop') ?? '']
          const result = await verifier.verify({ proofs, method, url, nonce: nonces })
          results.push(result.ok ? result.value.jkt : result.refusal.reason)
          if (result.ok) {
            return Response.json({ access_token: TOKEN, token_type: 'DPoP', expires_in: 60 })
          }
          const nonceHeaders = { 'dpop-nonce': nonces.issue() }
          return Response.json({ error: 'use_dpop_nonce' }, { status: 400, headers: nonceHeaders })
        },
      },
    )
    return oauth.processClientCredentialsResponse(issuer, client, response)
  }

  const first = await ask().catch((error: unknown) => oauth.isDPoPNonceError(error))
  const second = await ask()

  expect(first).toBe(true)
  expect(second.access_token).toBe(TOKEN)
  expect(results).toEqual(['dpop_nonce_missing', await handle.calculateThumbprint()])
})

// Client assertions (RFC 7523) for a server that runs, good ones and any other.
import { CompactSign } from 'jose'
import { randomUUID } from 'node:crypto'
import type { TestServer } from '../../apps/auth-server/test-support/auth-server.ts'
import type { ProofKey } from '../support/test-proof.ts'

export type AssertionChanges = {
  readonly client: string
  /** Changed of a good assertion; what is `undefined` is left out. */
  readonly claims?: Readonly<Record<string, unknown>>
  readonly header?: Readonly<Record<string, unknown>>
}

/** The two parameters by which the client authenticates (RFC 7523 §2.2). */
export async function signClientAssertion(
  { clock, issuer }: Pick<TestServer, 'clock' | 'issuer'>,
  key: ProofKey,
  { claims, client, header }: AssertionChanges,
): Promise<{ readonly client_assertion_type: string; readonly client_assertion: string }> {
  const now = clock.now()
  const good = { iss: client, sub: client, aud: issuer, iat: now, exp: now + 60, jti: randomUUID() }
  const payload = new TextEncoder().encode(JSON.stringify({ ...good, ...claims }))
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await new CompactSign(payload)
      .setProtectedHeader({ alg: key.algorithm, ...header })
      .sign(key.privateKey),
  }
}

// Proofs (RFC 9449) for whoever checks them here: the token endpoint, and an agent. The checks of §4.3 are
// the same for both, so that one list of bad proofs is sent to each.
import { decodeJwt, decodeProtectedHeader } from 'jose'
import {
  createProofKey,
  signProof,
  type ProofChanges,
  type ProofKey,
} from '../support/test-proof.ts'

/** The claims of a good proof, as the one who checks it wants them. */
export type ProofClaims = {
  readonly htm: string
  readonly htu: string
  readonly iat: number
  readonly ath?: string
  readonly nonce?: string
}

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** Proofs that break §4.3, by its numbers; each but for one thing a good one. */
export async function makeBadProofs(
  key: ProofKey,
  good: ProofClaims,
): Promise<readonly (readonly [rule: string, proof: string])[]> {
  const sign = async (changes: ProofChanges) => signProof(key, good, changes)
  const proof = await sign({})
  const [, payload = '', signature = ''] = proof.split('.')
  const header = decodeProtectedHeader(proof)
  const withHeader = (changes: object): string =>
    `${encode({ ...header, ...changes })}.${payload}.${signature}`
  const other = await createProofKey()
  const claims = (changes: Readonly<Record<string, unknown>>) => sign({ claims: changes })
  return [
    ['2: no JWT', 'nonsense'],
    ['2: two JWTs', `${proof}, ${await sign({})}`],
    ['3: no jti', await claims({ jti: undefined })],
    ['3: no htm', await claims({ htm: undefined })],
    ['3: no htu', await claims({ htu: undefined })],
    ['3: no iat', await claims({ iat: undefined })],
    ['3: a jti that is too long', await claims({ jti: 'x'.repeat(257) })],
    ['4: no typ', await sign({ header: { typ: undefined } })],
    ['4: typ of another JWT', await sign({ header: { typ: 'at+jwt' } })],
    ['5: alg none', `${encode({ ...header, alg: 'none' })}.${payload}.`],
    ['5: a shared secret', withHeader({ alg: 'HS256' })],
    ['6: another key', await sign({ header: { jwk: other.publicJwk } })],
    ['6: changed', `${encode(header)}.${encode({ ...decodeJwt(proof), jti: 'x' })}.${signature}`],
    ['7: a private key', await sign({ header: { jwk: key.privateJwk } })],
    ['8: another method', await claims({ htm: 'DELETE' })],
    ['8: the method in small letters', await claims({ htm: good.htm.toLowerCase() })],
    ['9: another path', await claims({ htu: `${good.htu}/x` })],
    ['9: another host', await claims({ htu: 'https://evil.example/oauth/token' })],
    ['11: too old', await claims({ iat: good.iat - 600 })],
    ['11: of the future', await claims({ iat: good.iat + 600 })],
  ]
}

// Proofs of possession (RFC 9449 §4.2), for the token endpoint and for agents alike. A signer knows the
// nonce that each server wants next, and how far each server's clock is from this one; where an agent has
// not said that, how far the authorization server's is.
import { systemClock, type Clock } from '@deputy/auth/protocol'
import { calculateJwkThumbprint, exportJWK, SignJWT, type JWK } from 'jose'
import type { CryptoKeyPair } from 'oauth4webapi'
import type { AnswerToProof, RequestToProve } from '../authorization.ts'
import { readSkewSeconds } from './clock-skew.ts'

export type DpopSigner = {
  /** RFC 7638 thumbprint of the key. */
  getThumbprint(): Promise<string>
  /** Makes a proof. @param accessToken what it goes with; none at the token endpoint */
  prove(request: RequestToProve, accessToken?: string): Promise<string>
  /** See `ProofSigner`. @param saidInBody the `error` of a token endpoint; an agent has it in its challenge */
  observe(url: string, answer: AnswerToProof, saidInBody?: string): boolean
}

/**
 * Makes a key pair for `dpopKey`: ES256, its private half not extractable. A key that lives as long as
 * the process is as good as any: tokens are bound to it anew.
 */
export async function generateDpopKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
    'sign',
    'verify',
  ])
}

/** Creates a signer. Throws `TypeError` for a pair that cannot sign, or whose public half is secret. */
export function createDpopSigner(pair: CryptoKeyPair, clock: Clock = systemClock): DpopSigner {
  const alg = toAlgorithm(pair)
  const nonces = new Map<string, string>()
  const skews = new Map<string, number>()
  /**
   * What counts for an agent that has not said: what is wrong is mostly this clock, and over WebSocket no answer has a
   * `Date`. Attack prevented: an agent that says a wrong one, for proofs that others then refuse.
   */
  let issuerSkewSeconds = 0
  let jwk: Promise<JWK> | undefined
  let thumbprint: Promise<string> | undefined
  const getJwk = async (): Promise<JWK> => (jwk ??= exportJWK(pair.publicKey))

  return Object.freeze({
    getThumbprint: async () =>
      (thumbprint ??= getJwk().then(async (key) => calculateJwkThumbprint(key))),

    async prove({ method, url }: RequestToProve, accessToken?: string) {
      const { href, origin } = toTarget(url)
      const nonce = nonces.get(origin)
      return new SignJWT({
        jti: crypto.randomUUID(),
        htm: method,
        htu: href,
        ...(nonce === undefined ? {} : { nonce }),
        ...(accessToken === undefined ? {} : { ath: await hashToken(accessToken) }),
      })
        .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk: await getJwk() })
        .setIssuedAt(clock.now() + (skews.get(origin) ?? issuerSkewSeconds))
        .sign(pair.privateKey)
    },

    observe(url: string, { headers, status }: AnswerToProof, saidInBody?: string) {
      const error = saidInBody ?? readDpopError(headers)
      const { origin } = toTarget(url)
      const nonce = headers.get('dpop-nonce')
      const isNewNonce = nonce !== null && nonce !== nonces.get(origin)
      if (isNewNonce) nonces.set(origin, nonce)
      if (status !== 400 && status !== 401) return false
      if (error === 'use_dpop_nonce') return isNewNonce
      if (error !== 'invalid_dpop_proof') return false
      // Fault was found with a proof: maybe our clock is not the server's.
      const skewSeconds = readSkewSeconds(headers, clock)
      const isNewSkew =
        skewSeconds !== undefined &&
        Math.abs(skewSeconds - (skews.get(origin) ?? issuerSkewSeconds)) > 1
      if (!isNewSkew) return false
      skews.set(origin, skewSeconds)
      if (saidInBody !== undefined) issuerSkewSeconds = skewSeconds
      return true
    },
  })
}

/** > The HTTP target URI […] without query and fragment parts (RFC 9449 §4.2). */
function toTarget(text: string): { readonly href: string; readonly origin: string } {
  const { origin, pathname } = new URL(text)
  return { href: origin + pathname, origin }
}

/** The `error` of a DPoP challenge (RFC 9449 §7.1). */
function readDpopError(headers: AnswerToProof['headers']): string | undefined {
  return /\berror="([a-z_]+)"/.exec(headers.get('www-authenticate') ?? '')?.[1]
}

async function hashToken(token: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))
  const text = btoa(String.fromCharCode(...new Uint8Array(digest)))
  return text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

const CURVES: Readonly<Record<string, string>> = { 'P-256': 'ES256', 'P-384': 'ES384' }

function toAlgorithm({ privateKey, publicKey }: CryptoKeyPair): string {
  const isUsable =
    privateKey.type === 'private' &&
    privateKey.usages.includes('sign') &&
    publicKey.type === 'public' &&
    publicKey.extractable
  const { name } = privateKey.algorithm
  const curve: unknown = Reflect.get(privateKey.algorithm, 'namedCurve')
  const algorithm = name === 'Ed25519' ? 'EdDSA' : CURVES[String(curve)]
  if (isUsable && algorithm !== undefined) return algorithm
  throw new TypeError('dpopKey must be a pair of keys that sign: ES256, ES384 or Ed25519')
}

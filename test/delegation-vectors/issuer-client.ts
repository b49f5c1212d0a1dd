// What a runner needs of an issuer: its token and revocation endpoints, found by its metadata.
import * as jose from 'jose'
import * as z from 'zod'

/** An issuer that has the agents of the world, and their secrets by their ids. */
export type IssuerUnderTest = {
  readonly issuer: string
  readonly secrets: Readonly<Record<string, string>>
}

export type Answer = { readonly status: number; readonly body: Record<string, unknown> }

const Metadata = z.looseObject({ token_endpoint: z.url(), revocation_endpoint: z.url().optional() })

export type ProofKey = {
  readonly jkt: string
  /** Makes a proof (RFC 9449 §4.2) for a request to the token endpoint. */
  prove(url: string, nonce: string | undefined): Promise<string>
}

/** Makes a fresh key. */
export async function createProofKey(): Promise<ProofKey> {
  const { privateKey, publicKey } = await jose.generateKeyPair('ES256')
  const jwk = await jose.exportJWK(publicKey)
  return {
    jkt: await jose.calculateJwkThumbprint(jwk),
    prove: async (htu, nonce) =>
      new jose.SignJWT({ htm: 'POST', htu, ...(nonce === undefined ? {} : { nonce }) })
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .setJti(crypto.randomUUID())
        .setIssuedAt()
        .sign(privateKey),
  }
}

/** Finds the endpoints (RFC 8414). Rejects when there are none. */
export async function connectIssuer({ issuer, secrets }: IssuerUnderTest) {
  const url = new URL('/.well-known/oauth-authorization-server', issuer)
  const metadata = Metadata.parse(await (await fetch(url)).json())

  async function post(
    endpoint: string,
    as: string,
    { form, proof }: { readonly form: object; readonly proof?: string | undefined },
  ) {
    const secret = secrets[as]
    if (secret === undefined) throw new TypeError(`there is no secret of ${as}`)
    const basic = btoa(`${encodeURIComponent(as)}:${encodeURIComponent(secret)}`)
    return fetch(endpoint, {
      method: 'POST',
      headers: {
        authorization: `Basic ${basic}`,
        ...(proof === undefined ? {} : { dpop: proof }),
      },
      body: new URLSearchParams(Object.entries(form)),
    })
  }

  return {
    async token(as: string, form: object, key: ProofKey | undefined): Promise<Answer> {
      const { token_endpoint: endpoint } = metadata
      let response = await post(endpoint, as, {
        form,
        proof: await key?.prove(endpoint, undefined),
      })
      const nonce = response.headers.get('dpop-nonce')
      // An issuer that wants a nonce of its own is asked again with it (RFC 9449 §8).
      if (key !== undefined && response.status === 400 && nonce !== null) {
        response = await post(endpoint, as, { form, proof: await key.prove(endpoint, nonce) })
      }
      const body = z.record(z.string(), z.unknown()).parse(await response.json())
      return { status: response.status, body }
    },

    async revoke(as: string, token: string): Promise<void> {
      const { revocation_endpoint: endpoint } = metadata
      if (endpoint === undefined) throw new TypeError('the issuer has no revocation endpoint')
      const response = await post(endpoint, as, { form: { token } })
      if (!response.ok) throw new Error(`the revocation answered ${String(response.status)}`)
    },
  }
}

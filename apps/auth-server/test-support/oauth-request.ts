// Requests to the OAuth endpoints, written out by hand so that tests can send what no client would.
import { OAUTH_ERROR_CODES, TokenResponse } from '@deputy/auth/protocol'
import * as z from 'zod'
import type { Client, TestServer } from './auth-server.ts'

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Record<string, unknown>
}

type Form = Readonly<Record<string, string>> | URLSearchParams

/** Sends anything, and reads the JSON that comes back. */
export async function send(url: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(url, init)
  const text = await response.text()
  const body = z.record(z.string(), z.unknown()).parse(text === '' ? {} : JSON.parse(text))
  return { status: response.status, headers: response.headers, text, body }
}

/** `client_secret_basic`. */
export function basic({ id, secret }: Client): { readonly authorization: string } {
  return {
    authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`,
  }
}

/** Posts a form to the token endpoint. */
export async function postToken(
  server: Pick<TestServer, 'issuer'>,
  client: Client | undefined,
  form: Form = {},
): Promise<Answer> {
  return send(`${server.issuer}/oauth/token`, {
    method: 'POST',
    headers: client === undefined ? {} : basic(client),
    body:
      form instanceof URLSearchParams
        ? form
        : new URLSearchParams({ grant_type: 'client_credentials', ...form }),
  })
}

/** Gets a token that there must be. */
export async function getToken(
  server: Pick<TestServer, 'issuer'>,
  client: Client,
  form: Form = {},
): Promise<string> {
  return TokenResponse.parse((await postToken(server, client, form)).body).access_token
}

/** Asks, as `client`, what a token or a key is worth. */
export async function introspect(
  server: Pick<TestServer, 'issuer'>,
  client: Client,
  token: string,
): Promise<Answer> {
  return send(`${server.issuer}/oauth/introspect`, {
    method: 'POST',
    headers: basic(client),
    body: new URLSearchParams({ token }),
  })
}

/** Ends, as `client`, a token or a key. */
export async function revoke(
  server: Pick<TestServer, 'issuer'>,
  client: Client,
  token: string,
): Promise<Answer> {
  return send(`${server.issuer}/oauth/revoke`, {
    method: 'POST',
    headers: basic(client),
    body: new URLSearchParams({ token, token_type_hint: 'access_token' }),
  })
}

/** RFC 6749 §5.2: JSON, a known code, a description of the characters that it allows, and not cached. */
const OAuthErrorAnswer = z.object({
  contentType: z.stringFormat('JSON', /^application\/json\b/),
  cacheControl: z.literal('no-store'),
  pragma: z.literal('no-cache'),
  body: z.strictObject({
    error: z.enum(OAUTH_ERROR_CODES),
    error_description: z.stringFormat('NQSCHAR', /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/),
  }),
})

/** Reads an error answer. Throws when it is not one by RFC 6749 §5.2. */
export function readOAuthError({ body, headers, status }: Answer) {
  const { error } = OAuthErrorAnswer.parse({
    body,
    contentType: headers.get('content-type'),
    cacheControl: headers.get('cache-control'),
    pragma: headers.get('pragma'),
  }).body
  return { status, error }
}

// Reads by which method a client authenticates and with what (RFC 6749 §2.3, RFC 7523 §2.2). Form
// only: nothing is verified here.
import type { FormBody } from '../endpoints/form-body.ts'
import { OAuthError } from '../oauth-error.ts'

/** `client_assertion_type` of a JWT (RFC 7523 §2.2). */
export const JWT_ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** What a client sent to prove who it is. */
export type PresentedCredentials =
  | {
      readonly method: 'client_secret_basic' | 'client_secret_post'
      readonly clientId: string
      readonly secret: string
    }
  | {
      readonly method: 'private_key_jwt'
      /** `undefined` when only the assertion names the client. */
      readonly clientId: string | undefined
      readonly assertion: string
    }

/** Longest client id that is looked up, in characters. */
const MAX_CLIENT_ID_CHARS = 200

/** Reads the one method that was used. Throws `OAuthError`. */
export function readPresentedCredentials(
  authorization: string | undefined,
  body: FormBody,
): PresentedCredentials {
  const isAssertion = body.has('client_assertion') || body.has('client_assertion_type')
  // > The client MUST NOT use more than one authentication method in each request. (§2.3)
  const used = [authorization !== undefined, body.has('client_secret'), isAssertion]
  if (used.filter(Boolean).length > 1) {
    throw invalidRequest(
      'authenticate in one way: by the Authorization header, by client_secret or by client_assertion',
    )
  }
  if (authorization !== undefined) return readBasic(authorization, body)
  if (isAssertion) return readAssertion(body)
  return readPost(body)
}

function readBasic(authorization: string, body: FormBody): PresentedCredentials {
  const encoded = /^Basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  if (encoded === undefined) {
    throw invalidClient('the Authorization header must be "Basic" and base64 text')
  }
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const clientId = colon > 0 ? decodeFormText(text.slice(0, colon)) : undefined
  const secret = colon > 0 ? decodeFormText(text.slice(colon + 1)) : undefined
  if (clientId === undefined || secret === undefined || secret === '') {
    throw invalidClient('the Basic credentials must be form-encoded client_id:client_secret')
  }
  if (body.has('client_id') && body.get('client_id') !== clientId) {
    throw invalidRequest('client_id differs from the one in the Authorization header')
  }
  return { method: 'client_secret_basic', clientId: bounded(clientId), secret }
}

function readAssertion(body: FormBody): PresentedCredentials {
  const assertion = body.get('client_assertion')
  if (body.get('client_assertion_type') !== JWT_ASSERTION_TYPE || assertion === undefined) {
    throw invalidRequest(`client_assertion needs client_assertion_type=${JWT_ASSERTION_TYPE}`)
  }
  const clientId = body.get('client_id')
  return {
    method: 'private_key_jwt',
    clientId: clientId === undefined ? undefined : bounded(clientId),
    assertion,
  }
}

function readPost(body: FormBody): PresentedCredentials {
  const clientId = body.get('client_id')
  const secret = body.get('client_secret')
  if (clientId === undefined || secret === undefined) {
    throw invalidClient(
      'send client_id and client_secret by HTTP Basic or in the body, or a client_assertion',
    )
  }
  return { method: 'client_secret_post', clientId: bounded(clientId), secret }
}

function bounded(clientId: string): string {
  if (clientId.length <= MAX_CLIENT_ID_CHARS) return clientId
  throw invalidRequest(`client_id is longer than ${String(MAX_CLIENT_ID_CHARS)} characters`)
}

/** Undoes application/x-www-form-urlencoded; `undefined` where it is not. */
function decodeFormText(text: string): string | undefined {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function invalidRequest(message: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', message })
}

/**
 * A client that is not who it says, or does not say.
 *
 * > The server generating a 401 response MUST send a WWW-Authenticate header field (RFC 9110 §15.5.2)
 *
 * RFC 6749 §5.2 asks for it only where the header was used; HTTP asks for it always.
 */
export function invalidClient(message: string, reason?: string): OAuthError {
  const headers = { 'www-authenticate': 'Basic realm="deputy"' }
  return new OAuthError({ code: 'invalid_client', message, status: 401, headers, reason })
}

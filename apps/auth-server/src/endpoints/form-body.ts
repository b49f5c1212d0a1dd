// Reads the body of the OAuth endpoints: form-encoded, bounded, no parameter twice.
import type { OAuthRequest } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'

/** Longest value that is read, in characters; an assertion or a token to be introspected fits. */
export const MAX_VALUE_CHARS = 16 * 1024

/** Most parameters that are read. */
const MAX_PARAMETERS = 100

/** The parameters of a request, each at most once. */
export type FormBody = ReadonlyMap<string, string>

/** What must never stand in a URL: it ends up in logs and histories (RFC 6749 §2.3.1). */
const NEVER_IN_URL = [
  'client_id',
  'client_secret',
  'client_assertion',
  'token',
  'subject_token',
  'actor_token',
]

/** RFC 8707 §2 lets these be repeated, which asks for one token for several agents. */
const TARGETS = new Set(['resource', 'audience'])

/** Parses the body. Rejects with `OAuthError`. */
export async function parseFormBody(request: OAuthRequest): Promise<FormBody> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') {
    throw invalid('the body must be application/x-www-form-urlencoded')
  }
  const inUrl = NEVER_IN_URL.find((name) => request.query.has(name))
  if (inUrl !== undefined) throw invalid(`${inUrl} must be in the body, not in the URL`)
  const body = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(await request.readBody())) {
    if (body.has(name)) throw repeated(name)
    if (value.length > MAX_VALUE_CHARS)
      throw invalid(`${quote(name)} is longer than ${String(MAX_VALUE_CHARS)} characters`)
    if (body.size === MAX_PARAMETERS)
      throw invalid(`more than ${String(MAX_PARAMETERS)} parameters`)
    // > Parameters sent without a value MUST be treated as if they were omitted from the request.
    // But a repeated one is still repeated, so it is noted first.
    body.set(name, value)
  }
  for (const [name, value] of body) if (value === '') body.delete(name)
  return body
}

/** > Request and response parameters MUST NOT be included more than once. (RFC 6749 §3.2) */
function repeated(name: string): OAuthError {
  if (!TARGETS.has(name)) return invalid(`the parameter ${quote(name)} is repeated`)
  return new OAuthError({
    code: 'invalid_target',
    message: `${name} is repeated: a token is for one agent, so ask for one token for each`,
  })
}

function quote(name: string): string {
  return JSON.stringify(name.slice(0, 64))
}

function invalid(message: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', message })
}

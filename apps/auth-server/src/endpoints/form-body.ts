// Reads the body of the OAuth endpoints: POST, form-encoded, bounded, no parameter twice.
import type { Context } from 'hono'
import { OAuthError } from '../oauth-error.ts'

/** Largest body that is read, in bytes. */
export const MAX_FORM_BYTES = 32 * 1024

/** The parameters of a request, each at most once. */
export type FormBody = ReadonlyMap<string, string>

/** Parses the body. Throws `OAuthError` (`invalid_request`). */
export async function parseFormBody(context: Context): Promise<FormBody> {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/x-www-form-urlencoded') {
    throw invalid('the body must be application/x-www-form-urlencoded')
  }
  // Credentials in the URL end up in logs and histories (RFC 6749 §2.3.1 forbids them there).
  const inUrl = ['client_id', 'client_secret', 'token'].find(
    (name) => context.req.query(name) !== undefined,
  )
  if (inUrl !== undefined) throw invalid(`${inUrl} must be in the body, not in the URL`)
  const body = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(await context.req.text())) {
    // > Request and response parameters MUST NOT be included more than once. (RFC 6749 §3.2)
    if (body.has(name))
      throw invalid(`the parameter ${JSON.stringify(name.slice(0, 64))} is repeated`)
    // > Parameters sent without a value MUST be treated as if they were omitted from the request.
    // But a repeated one is still repeated, so it is noted first.
    body.set(name, value)
  }
  for (const [name, value] of body) if (value === '') body.delete(name)
  return body
}

function invalid(message: string): OAuthError {
  return new OAuthError({ code: 'invalid_request', message })
}

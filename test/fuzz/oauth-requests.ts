// Random requests to everything that the authorization server serves.
import * as fc from 'fast-check'
import { request } from 'node:http'

/** A request, as strange as it is. */
export type Sent = {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array | undefined
}

export type Got = { readonly status: number; readonly type: string; readonly text: string }

/** An answer later than this is a hang. */
const TIMEOUT_MS = 5000

/** Sends what `fetch` would not. Resolves to `undefined` when the server hung up on it. */
export async function send(
  issuer: string,
  { body, headers, method, path }: Sent,
): Promise<Got | undefined> {
  const { hostname, port } = new URL(issuer)
  return new Promise((resolve, reject) => {
    const req = request({ hostname, port, method, path, headers, timeout: TIMEOUT_MS }, (res) => {
      let text = ''
      res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, type: res.headers['content-type'] ?? '', text }),
      )
      res.on('error', () => resolve(undefined))
    })
    req.on('timeout', () => {
      req.destroy()
      reject(new Error(`no answer to ${method} ${path}`))
    })
    req.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(undefined)
      else reject(error)
    })
    req.end(body)
  })
}

const PATHS = [
  '/oauth/token',
  '/oauth/introspect',
  '/oauth/revoke',
  '/oauth/register',
  '/oauth/register/x',
  '/oauth/authorize',
  '/.well-known/jwks.json',
  '/.well-known/oauth-authorization-server',
  '/trpc/agents.list',
  '/trpc/__proto__',
  '/trpc/constructor.name',
  '/nowhere',
  '/oauth/__proto__',
]

const NAMES = [
  'grant_type',
  'scope',
  'audience',
  'resource',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
  'authorization_details',
  'token',
  'token_type_hint',
  '__proto__',
  'constructor',
]

const VALUES = [
  'client_credentials',
  'notes:read',
  'agent-bob',
  'agent-alice',
  'https://bob.example',
  '[]',
  '[{}]',
  '[{"type":"budget"}]',
  '{"__proto__":{}}',
  'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  'eyJhbGciOiJub25lIn0.e30.',
  'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.AAAA',
  '[['.repeat(2000),
  '%00',
  '\0',
]

const text = fc.oneof(
  fc.constantFrom(...VALUES),
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 60 }),
)

const form = fc
  .array(fc.tuple(fc.oneof(fc.constantFrom(...NAMES), fc.string({ maxLength: 20 })), text), {
    maxLength: 8,
  })
  .map((pairs) =>
    Buffer.from(pairs.map(([name, value]) => `${toFormText(name)}=${toFormText(value)}`).join('&')),
  )

/** A lone surrogate has no encoding: it stays what it becomes in UTF-8. */
function toFormText(value: string): string {
  return encodeURIComponent(value.toWellFormed())
}

const body = fc.oneof(
  { weight: 4, arbitrary: form },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
  { weight: 1, arbitrary: fc.json().map((json) => Buffer.from(json)) },
  { weight: 1, arbitrary: fc.constant(undefined) },
)

/** Characters that a header may have (RFC 9110 §5.5). */
const headerText = fc.stringMatching(/^[\x21-\x7E\x80-\xFF]{0,80}$/)

const authorization = fc.oneof(
  headerText.map((value) => `Basic ${value}`),
  text.map((value) => `Basic ${Buffer.from(value).toString('base64')}`),
  headerText.map((value) => `Bearer ${value}`),
  headerText.map((value) => `DPoP ${value}`),
  headerText,
)

const contentType = fc.constantFrom(
  'application/x-www-form-urlencoded',
  'application/x-www-form-urlencoded; charset=utf-8',
  'application/json',
  'text/plain',
  'multipart/form-data; boundary=x',
)

/** Requests; those with a good client get further in. */
export function createRequests(goodAuthorization: string): fc.Arbitrary<Sent> {
  const headers = fc.record(
    {
      'content-type': contentType,
      authorization: fc.oneof(fc.constant(goodAuthorization), authorization),
      dpop: headerText,
      traceparent: headerText,
      'x-forwarded-for': headerText,
    },
    { requiredKeys: [] },
  )
  return fc.record({
    method: fc.constantFrom(
      'POST',
      'POST',
      'POST',
      'GET',
      'HEAD',
      'PUT',
      'DELETE',
      'PATCH',
      'OPTIONS',
    ),
    path: fc
      .tuple(fc.constantFrom(...PATHS), fc.option(form, { nil: undefined }))
      .map(([path, query]) => (query === undefined ? path : `${path}?${query.toString()}`)),
    headers,
    body,
  })
}

// The issuer of an agent that starts: metadata, keys and a feed on which nothing is revoked. It loads as little as can be,
// since it lives in the process whose modules are listed.
import { generateKeyPairSync, sign } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'

// By its `import` Node would load undici.
const http = process.getBuiltinModule('node:http')

/** Starts it, on a free port. `call` presents a good token and answers the status. */
export async function startIssuer(): Promise<{
  readonly url: string
  call(to: string): Promise<number>
}> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const keys = [{ ...publicKey.export({ format: 'jwk' }), kid: 'key-1', alg: 'ES256', use: 'sig' }]
  let url = ''

  function answer(req: IncomingMessage, res: ServerResponse): void {
    if (req.url === '/feed') {
      const snapshot = JSON.stringify({ entries: [], reset: true })
      res.write(`event: snapshot\nid: 1\ndata: ${snapshot}\n\nevent: ready\ndata: {}\n\n`)
    } else if (req.url === '/jwks') res.end(JSON.stringify({ keys }))
    else if (req.url === '/introspect') {
      res.end(JSON.stringify({ active: true, token_type: 'Bearer', ...claims }))
    } else {
      const metadata = {
        issuer: url,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/jwks`,
        introspection_endpoint: `${url}/introspect`,
        revocation_feed_endpoint: `${url}/feed`,
        response_types_supported: [],
      }
      res.end(JSON.stringify(metadata))
    }
  }

  const server = http.createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  url = `http://127.0.0.1:${String(typeof address === 'object' ? address?.port : '')}`
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: url,
    sub: 'agent-caller',
    client_id: 'agent-caller',
    aud: 'agent-notes',
    scope: 'notes:read',
    iat,
    exp: iat + 600,
    jti: 'token-1',
  }
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')
  const head = `${encode({ typ: 'at+jwt', alg: 'ES256', kid: 'key-1' })}.${encode(claims)}`
  const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const
  const token = `${head}.${sign('sha256', Buffer.from(head), key).toString('base64url')}`

  return {
    url,
    call: async (to) =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}` }
        http
          .get(to, { headers }, (res) => {
            res.resume()
            resolve(res.statusCode ?? 0)
          })
          .on('error', reject)
      }),
  }
}

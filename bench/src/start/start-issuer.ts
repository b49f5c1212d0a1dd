// The authorization server of an agent that starts: its documents, one token, and a feed on which nothing was revoked.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { AGENT_ID } from '../calls/scenario.ts'
import { createJwtSigner } from '../token/servers/jwt-signer.ts'

export type StartIssuer = AsyncDisposable & {
  readonly url: string
  /** Good for the agent, for as long as a run takes. */
  readonly token: string
}

const TTL_SECONDS = 3600

/** Starts it, on a free port of this machine. */
export async function startIssuer(): Promise<StartIssuer> {
  const signer = createJwtSigner()
  const server = createServer((req, res) => {
    answer(req, res, { url, jwks: signer.jwks, claims })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('there is no free port')
  const url = `http://127.0.0.1:${String(address.port)}`
  const iat = Math.floor(Date.now() / 1000)
  const claims = {
    iss: url,
    sub: 'agent-caller',
    client_id: 'agent-caller',
    aud: AGENT_ID,
    scope: 'notes:read',
    iat,
    exp: iat + TTL_SECONDS,
    jti: 'token-1',
    grant_path: ['key-1', 'token-1'],
  }
  return {
    url,
    token: await signer.sign(claims),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

type Documents = { readonly url: string; readonly jwks: string; readonly claims: object }

function answer(req: IncomingMessage, res: ServerResponse, documents: Documents): void {
  const { claims, jwks, url } = documents
  if (req.url === '/feed') {
    res.writeHead(200, { 'content-type': 'text/event-stream' })
    const snapshot = JSON.stringify({ entries: [], reset: true })
    res.write(`event: snapshot\nid: 1\ndata: ${snapshot}\n\nevent: ready\ndata: {}\n\n`)
    return
  }
  res.setHeader('content-type', 'application/json')
  if (req.url === '/jwks') res.end(jwks)
  // Asked by an agent that has not heard of the feed yet.
  else if (req.url === '/introspect') {
    res.end(JSON.stringify({ active: true, token_type: 'Bearer', ...claims }))
  } else if (req.url === '/.well-known/oauth-authorization-server') {
    const metadata = {
      issuer: url,
      token_endpoint: `${url}/token`,
      jwks_uri: `${url}/jwks`,
      introspection_endpoint: `${url}/introspect`,
      revocation_feed_endpoint: `${url}/feed`,
      response_types_supported: [],
    }
    res.end(JSON.stringify(metadata))
  } else res.writeHead(404).end()
}

// @node-oauth/oauth2-server on `node:http`, with a model that keeps its clients in a Map, checks their
// secrets by hash and signs the same JWT with the same signer. Nothing is kept of a token.
import OAuth2Server from '@node-oauth/oauth2-server'
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { CLIENT_SCOPES, TARGET_ID, TOKEN_TTL_SECONDS } from '../scenario.ts'
import { createJwtSigner } from '../servers/jwt-signer.ts'
import { readServerSettings } from '../servers/settings.ts'

const { Request, Response } = OAuth2Server
const { clients, port } = readServerSettings(process.env)
const issuer = `http://127.0.0.1:${String(port)}`
const signer = createJwtSigner()
const scopes = new Set<string>(CLIENT_SCOPES)
const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest()
const known = new Map(
  clients.map(({ id, secret }) => [
    id,
    { secretHash: hashSecret(secret), client: { id, grants: ['client_credentials'] } },
  ]),
)

const model: OAuth2Server.ClientCredentialsModel = {
  async getClient(id, secret) {
    const found = known.get(id)
    return found !== undefined && timingSafeEqual(found.secretHash, hashSecret(secret))
      ? found.client
      : false
  },
  getUserFromClient: async ({ id }) => ({ id }),
  validateScope: async (_user, _client, asked = []) =>
    asked.every((scope) => scopes.has(scope)) ? asked : false,
  generateAccessToken: async ({ id }, _user, asked) => {
    const iat = Math.floor(Date.now() / 1000)
    return signer.sign({
      iss: issuer,
      sub: id,
      aud: TARGET_ID,
      client_id: id,
      scope: asked.join(' '),
      iat,
      exp: iat + TOKEN_TTL_SECONDS,
      jti: randomUUID(),
      rate_limit_tier: 'unlimited',
    })
  },
  saveToken: async (token, client, user) => ({ ...token, client, user }),
  getAccessToken: async () => false,
}
const server = new OAuth2Server({ model, accessTokenLifetime: TOKEN_TTL_SECONDS })

async function answerToken(req: IncomingMessage, body: string, res: ServerResponse): Promise<void> {
  const request = new Request({
    method: req.method ?? 'GET',
    headers: Object.fromEntries(
      Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
    ),
    query: {},
    body: Object.fromEntries(new URLSearchParams(body)),
  })
  const response = new Response({ headers: {} })
  // What it throws, it has also written into the response.
  await server.token(request, response).catch(() => undefined)
  send(res, response.status ?? 500, { ...response.headers, text: JSON.stringify(response.body) })
}

type Answer = Readonly<Record<string, string>> & { readonly text: string }

function send(res: ServerResponse, status: number, { text, ...headers }: Answer): void {
  res.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  })
  res.end(text)
}

createServer((req, res) => {
  if (req.method === 'GET') {
    send(res, 200, { text: signer.jwks })
    return
  }
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => void answerToken(req, Buffer.concat(chunks).toString('utf8'), res))
}).listen(port, '127.0.0.1')
process.on('disconnect', () => process.exit())

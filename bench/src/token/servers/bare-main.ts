// The least that a server for the client credentials grant can do, on `node:http` and nothing else: parse
// the form and the Basic header, hash the secret, look the client up in a Map, check the scope, sign,
// answer with the same claims and header fields. It keeps nothing: no store, no audit, no limits.
import { createHash, randomUUID, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { CLIENT_SCOPES, TOKEN_TTL_SECONDS } from '../scenario.ts'
import { createJwtSigner } from './jwt-signer.ts'
import { readServerSettings } from './settings.ts'

type Known = { readonly secretHash: Buffer; readonly scopes: ReadonlySet<string> }

const { clients, port } = readServerSettings(process.env)
const issuer = `http://127.0.0.1:${String(port)}`
const signer = createJwtSigner()
const known = new Map<string, Known>(
  clients.map(({ id, secret }) => [
    id,
    { secretHash: hashSecret(secret), scopes: new Set(CLIENT_SCOPES) },
  ]),
)

function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}

/** The client's id, when it proved that it is this one. */
function authenticate(authorization = ''): string | undefined {
  const text = Buffer.from(authorization.slice('Basic '.length), 'base64').toString('utf8')
  const colon = text.indexOf(':')
  const id = decodeURIComponent(text.slice(0, colon))
  const client = known.get(id)
  const secretHash = hashSecret(decodeURIComponent(text.slice(colon + 1)))
  return client !== undefined && timingSafeEqual(client.secretHash, secretHash) ? id : undefined
}

async function issue(clientId: string, form: URLSearchParams): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const scope = form.get('scope')
  const access_token = await signer.sign({
    iss: issuer,
    sub: clientId,
    aud: form.get('audience'),
    client_id: clientId,
    scope,
    iat,
    exp: iat + TOKEN_TTL_SECONDS,
    jti: randomUUID(),
    rate_limit_tier: 'unlimited',
  })
  return JSON.stringify({
    access_token,
    token_type: 'Bearer',
    expires_in: TOKEN_TTL_SECONDS,
    scope,
  })
}

async function answerToken(req: IncomingMessage, body: string, res: ServerResponse): Promise<void> {
  const form = new URLSearchParams(body)
  const clientId = authenticate(req.headers.authorization)
  if (clientId === undefined) {
    send(res, 401, '{"error":"invalid_client"}')
    return
  }
  const scopes = (form.get('scope') ?? '').split(' ')
  if (form.get('grant_type') !== 'client_credentials') {
    send(res, 400, '{"error":"unsupported_grant_type"}')
  } else if (scopes.every((scope) => known.get(clientId)?.scopes.has(scope))) {
    send(res, 200, await issue(clientId, form))
  } else {
    send(res, 400, '{"error":"invalid_scope"}')
  }
}

function send(res: ServerResponse, status: number, text: string): void {
  res.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    pragma: 'no-cache',
    'x-correlation-id': randomUUID(),
  })
  res.end(text)
}

createServer((req, res) => {
  if (req.method === 'GET') {
    send(res, 200, signer.jwks)
    return
  }
  const chunks: Buffer[] = []
  req.on('data', (chunk: Buffer) => chunks.push(chunk))
  req.on('end', () => void answerToken(req, Buffer.concat(chunks).toString('utf8'), res))
}).listen(port, '127.0.0.1')
process.on('disconnect', () => process.exit())

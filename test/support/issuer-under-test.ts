// Authorization servers that a client is tried against, each with one agent and one client that may call it.
import { createIssuerAuthenticator } from '@deputy/auth'
import { systemClock } from '@deputy/auth/protocol'
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { createAuthServer, type AdminRouter } from '@deputy/auth-server'
import { clientSecret, createAgentClient } from '@deputy/client'
import { readCredentialsFile } from '@deputy/client/node'
import { createLogger, serveAgent } from '@deputy/serve'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'
import { findFreePort } from './find-free-port.ts'
import { createTemporaryFolder } from './temporary-folder.ts'

export const AGENT = 'agent-ledger'
export const CLIENT = 'agent-alice'
/** The same client, that says who it is by a key. */
export const CLIENT_BY_KEY = 'agent-alice-by-key'
export const SCOPES = ['ledger:read', 'ledger:write']

export const createLedgerRouter = () =>
  agentRouter({
    whoAmI: scopedProcedure('ledger:read').query(({ ctx: { principal } }) => ({
      agentId: principal.agentId,
      scopes: principal.scopes,
    })),
    pay: scopedProcedure('ledger:write').mutation(() => 'paid'),
  })
export type LedgerRouter = ReturnType<typeof createLedgerRouter>

export type IssuerUnderTest = AsyncDisposable & {
  readonly issuer: string
  readonly agentUrl: string
  readonly clientSecret: string
  /** The private key of `CLIENT_BY_KEY`. */
  readonly key: JWK
}

export type IssuerOptions = {
  /** Whether every DPoP proof needs a nonce of the server's. */
  readonly wantsNonces?: boolean
}

/** Starts an agent that takes tokens of this issuer, and says so (RFC 9728). */
async function serveLedger(issuer: string, port: number): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  const authenticator = stack.use(createIssuerAuthenticator({ issuer, agentId: AGENT }))
  const logger = createLogger({ name: AGENT, level: 'silent' })
  const router = createLedgerRouter()
  stack.use(await serveAgent({ agentId: AGENT, router, authenticator, issuer, port, logger }))
  return stack.move()
}

async function createKeys(
  kid: string,
): Promise<{ readonly privateJwk: JWK; readonly publicJwk: JWK }> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const common = { kid, alg: 'ES256', use: 'sig' }
  return {
    privateJwk: { ...(await exportJWK(privateKey)), ...common },
    publicJwk: { ...(await exportJWK(publicKey)), ...common },
  }
}

/** Deputy's own authorization server. */
export async function startDeputy({ wantsNonces }: IssuerOptions): Promise<IssuerUnderTest> {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const [port, agentPort] = [await findFreePort(), await findFreePort()]
  const issuer = `http://127.0.0.1:${String(port)}`
  const agentUrl = `http://127.0.0.1:${String(agentPort)}`
  const operatorFile = folder.file('operator.json')
  stack.use(
    await createAuthServer({
      issuer,
      port,
      database: { file: folder.file('auth.sqlite') },
      operatorFile,
      dpopNonceSecret: wantsNonces === true ? randomBytes(32).toString('base64url') : undefined,
      clock: systemClock,
      logger: createLogger({ name: 'auth-server', level: 'silent' }),
    }),
  )
  const operator = readCredentialsFile(operatorFile)
  const admin = stack.use(
    createAgentClient<AdminRouter>({
      url: issuer,
      audience: 'auth-server',
      credentials: clientSecret({
        issuer,
        clientId: operator.client_id,
        clientSecret: operator.client_secret,
      }),
    }),
  )
  await admin.agents.create.mutate({
    id: AGENT,
    name: AGENT,
    url: agentUrl,
    scopesSupported: SCOPES,
  })
  const may = { scopes: SCOPES, audiences: [AGENT] }
  await admin.agents.create.mutate({ id: CLIENT, name: CLIENT, ...may })
  await admin.agents.create.mutate({ id: CLIENT_BY_KEY, name: CLIENT_BY_KEY, ...may })
  const created = await admin.clientSecrets.create.mutate({ agentId: CLIENT })
  const { privateJwk, publicJwk } = await createKeys('of-alice')
  const { kid } = await admin.clientKeys.create.mutate({ agentId: CLIENT_BY_KEY, jwk: publicJwk })
  stack.use(await serveLedger(issuer, agentPort))
  const resources = stack.move()
  return {
    issuer,
    agentUrl,
    clientSecret: created.clientSecret,
    key: { ...privateJwk, kid },
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

/** oidc-provider, as it ships: an authorization server by other hands. */
export async function startOidcProvider({ wantsNonces }: IssuerOptions): Promise<IssuerUnderTest> {
  await using stack = new AsyncDisposableStack()
  const [port, agentPort] = [await findFreePort(), await findFreePort()]
  const issuer = `http://127.0.0.1:${String(port)}`
  const agentUrl = `http://127.0.0.1:${String(agentPort)}`
  const secret = randomBytes(32).toString('base64url')
  const { privateJwk, publicJwk } = await createKeys('of-alice')
  const scope = SCOPES.join(' ')
  const common = {
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    scope,
  }
  const provider = new Provider(issuer, {
    jwks: { keys: [(await createKeys('of-provider')).privateJwk] },
    clients: [
      {
        ...common,
        client_id: CLIENT,
        client_secret: secret,
        token_endpoint_auth_method: 'client_secret_basic',
      },
      {
        ...common,
        client_id: CLIENT_BY_KEY,
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: 'ES256',
        jwks: { keys: [publicJwk] },
      },
    ],
    clientAuthMethods: ['client_secret_basic', 'private_key_jwt'],
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: SCOPES,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      dPoP: {
        enabled: true,
        nonceSecret: randomBytes(32),
        requireNonce: () => wantsNonces === true,
      },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({
          scope,
          audience: AGENT,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 900,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
  })
  const answer = provider.callback()
  const server = createServer((req, res) => void answer(req, res)).listen(port, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  stack.use(await serveLedger(issuer, agentPort))
  const resources = stack.move()
  return {
    issuer,
    agentUrl,
    clientSecret: secret,
    key: privateJwk,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

// Whoever calls agents in a world: with an identity at its authorization server, a way out, and a clock.
import {
  TokenResponse,
  type AuthorizationDetailsClaim,
  type Clock,
  type SubjectToken,
} from '@deputy/auth/protocol'
import {
  ClientError,
  clientSecret,
  createActFor,
  createAgentClient,
  taskGrant as underTaskGrant,
  tokenExchange,
  type ActFor,
  type AgentClient,
  type ClientCredentials,
  type Credentials,
} from '@deputy/client'
import type { AnyTRPCRouter } from '@trpc/server'
import * as z from 'zod'
import { TestToken } from './test-token.ts'

/** An agent that can be called. `Router` types the clients that are made for it. */
export type Callable<Router extends AnyTRPCRouter> = {
  readonly id: string
  readonly url: string
  /** For types alone; there is nothing in it. */
  readonly '~router'?: Router | undefined
}

/** A task grant that was opened in the world. */
export type TestGrant = { readonly kind: 'grant'; readonly id: string }

/** A client secret of a party's: to be ended by its id, or to be sent by hand. */
export type TestCredential = {
  readonly kind: 'credential'
  readonly id: string
  /** Writes the secret out. */
  reveal(): string
}

export type TokenOptions = {
  /** Default: everything that the caller may do there. */
  readonly scopes?: readonly string[] | undefined
  /** What the token is to stand on. */
  readonly taskGrant?: TestGrant | undefined
}

export type ClientOptions = TokenOptions & {
  /** How long a call may take. Default 30,000 ms. */
  readonly timeoutMs?: number | undefined
  /** Default `http`. */
  readonly transport?: 'http' | 'websocket' | undefined
}

export type ActForOptions = {
  /** What the calls need: all that is asked for. */
  readonly scopes: readonly string[]
  /** Limits beside those of the subject's token. */
  readonly limits?: AuthorizationDetailsClaim | undefined
}

/** Acts for whoever the subject's token is about (RFC 8693). */
export type Deputy = {
  client<Router extends AnyTRPCRouter>(
    agent: Callable<Router>,
    options: ActForOptions,
  ): AgentClient<Router>
  token(agent: Callable<AnyTRPCRouter>, options: ActForOptions): Promise<TestToken>
}

/** What a handler's `ctx` has of whoever called. */
export type CalledWith = { getSubjectToken(): SubjectToken | undefined }

export type Caller = {
  readonly id: string
  readonly clock: Clock
  /** Reaches the servers of the world, and nothing else. */
  readonly fetch: typeof fetch
  readonly WebSocket: typeof WebSocket
  readonly secret: TestCredential
  /** This caller's credentials as a value, for clients that the test makes itself. */
  credentials(options?: Pick<TokenOptions, 'taskGrant'>): ClientCredentials
  /** Makes a typed client. The world disposes of it. */
  client<Router extends AnyTRPCRouter>(
    agent: Callable<Router>,
    options?: ClientOptions,
  ): AgentClient<Router>
  /** Gets a token by hand. Rejects with `ClientError`, whose message begins with the OAuth error. */
  token(agent: Callable<AnyTRPCRouter>, options?: TokenOptions): Promise<TestToken>
  /** Exchanges what this party was called with: a `ctx`, or a token. */
  actFor(subject: SubjectToken | CalledWith): Deputy
  /** What handlers of this agent's act for their callers with, at these agents: `createActFor` of the client. */
  createActFor(agents: readonly Callable<AnyTRPCRouter>[]): ActFor
}

export type CallerOptions = {
  readonly id: string
  readonly issuer: string
  readonly secretId: string
  readonly clientSecret: string
  readonly clock: Clock
  readonly fetch: typeof fetch
  readonly WebSocket: typeof WebSocket
  /** Takes what is to be disposed of with the world. */
  readonly use: <Client extends AsyncDisposable>(client: Client) => Client
  /** Told of each token, which nobody may log. */
  readonly keepSecret: (token: string) => void
}

const OAuthError = z.object({ error: z.string(), error_description: z.string().default('') })

const TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:access_token'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Creates a caller that is registered already. */
export function createCaller(given: CallerOptions): Caller {
  const { clock, fetch, id, issuer, use } = given
  const own = clientSecret({
    issuer,
    clientId: id,
    clientSecret: given.clientSecret,
    fetch,
    clock,
  })

  function openClient<Router extends AnyTRPCRouter>(
    agent: Callable<Router>,
    options: ClientOptions & { readonly credentials: Credentials },
  ): AgentClient<Router> {
    const { credentials, scopes = [], timeoutMs, transport } = options
    const target = { url: agent.url, audience: agent.id, scopes }
    const ways = { clock, fetch, timeoutMs, transport, WebSocket: given.WebSocket }
    return use(createAgentClient<Router>({ ...target, credentials, ...ways }))
  }

  const credentials: Caller['credentials'] = ({ taskGrant } = {}) =>
    taskGrant === undefined ? own : underTaskGrant(taskGrant.id, own)

  async function requestToken(parameters: Record<string, string>): Promise<TestToken> {
    const response = await fetch(`${issuer}/oauth/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${id}:${given.clientSecret}`)}` },
      body: new URLSearchParams(parameters),
    })
    const body: unknown = await response.json()
    if (!response.ok) {
      const { error: code, error_description: message } = OAuthError.parse(body)
      throw new ClientError({
        code: 'token_refused',
        message: `${code}: ${message}`,
        hint: '',
        status: response.status,
      })
    }
    const { access_token: token } = TokenResponse.parse(body)
    given.keepSecret(token)
    return new TestToken(token)
  }

  return {
    id,
    clock,
    fetch,
    WebSocket: given.WebSocket,
    secret: { kind: 'credential', id: given.secretId, reveal: () => given.clientSecret },
    credentials,
    client: (agent, clientOptions = {}) =>
      openClient(agent, { ...clientOptions, credentials: credentials(clientOptions) }),
    token: async (agent, { scopes = [], taskGrant } = {}) =>
      requestToken({
        grant_type: 'client_credentials',
        audience: agent.id,
        ...(scopes.length === 0 ? {} : { scope: scopes.join(' ') }),
        ...(taskGrant === undefined
          ? {}
          : {
              authorization_details: JSON.stringify([
                { type: 'task_grant', identifier: taskGrant.id },
              ]),
            }),
      }),
    createActFor: (agents) =>
      createActFor({
        actor: own,
        agents: Object.fromEntries(agents.map((agent) => [agent.id, agent.url])),
        clock,
        fetch,
      }),
    actFor(subject) {
      const subjectToken = readSubject(subject)
      return {
        client: (agent, { limits, scopes }) =>
          openClient(agent, {
            scopes,
            credentials: tokenExchange({ subject: subjectToken, actor: own, limits }),
          }),
        token: async (agent, { limits, scopes }) =>
          requestToken({
            grant_type: EXCHANGE,
            audience: agent.id,
            scope: scopes.join(' '),
            subject_token: subjectToken.reveal(),
            subject_token_type: TOKEN_TYPE,
            ...(limits === undefined ? {} : { authorization_details: JSON.stringify(limits) }),
          }),
      }
    },
  }
}

function readSubject(subject: SubjectToken | CalledWith): SubjectToken {
  if ('reveal' in subject) return subject
  const token = subject.getSubjectToken()
  if (token === undefined) {
    throw new TypeError('whoever called came with an API key: there is no token to exchange')
  }
  return token
}

// What the tests of this suite are run against: a whole authorization server on loopback, with agents.
import {
  connectAdmin,
  enrollCast,
  type AdminClient,
} from '../../apps/auth-server/test-support/admin-client.ts'
import {
  startAuthServer,
  type Client,
  type TestServer,
  type TestServerOptions,
} from '../../apps/auth-server/test-support/auth-server.ts'
import {
  basic,
  postToken,
  send,
  type Answer,
} from '../../apps/auth-server/test-support/oauth-request.ts'
import { AuthorizationServerMetadata } from '@deputy/auth/protocol'

export type ConformanceWorld = AsyncDisposable & {
  readonly server: TestServer
  readonly admin: AdminClient
  /** May read and write notes at Bob. */
  readonly alice: Client
  /** Serves notes. */
  readonly bob: Client
  /** A stranger to both. */
  readonly mallory: Client
}

/** Starts a server with its cast. */
export async function startConformanceWorld(
  options: TestServerOptions = {},
): Promise<ConformanceWorld> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer(options))
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const resources = stack.move()
  return { server, admin, ...cast, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

type Form = Readonly<Record<string, string>> | [string, string][]

/** Posts a form, by `client_secret_basic` where a client is given. */
export async function post(
  { server }: Pick<ConformanceWorld, 'server'>,
  path: string,
  request: {
    readonly as?: Client
    readonly form?: Form
    readonly headers?: Readonly<Record<string, string>>
  },
): Promise<Answer> {
  const { as: client, form = {}, headers } = request
  return send(server.issuer + path, {
    method: 'POST',
    headers: { ...(client === undefined ? {} : basic(client)), ...headers },
    body: new URLSearchParams(Array.isArray(form) ? form : { ...form }),
  })
}

/** Asks the token endpoint for a token of Alice's for Bob. */
export async function askToken(
  world: Pick<ConformanceWorld, 'server' | 'alice'>,
  form: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return postToken(world.server, world.alice, form)
}

/** Reads the metadata document. */
export async function readMetadata({
  server,
}: Pick<ConformanceWorld, 'server'>): Promise<AuthorizationServerMetadata> {
  const url = `${server.issuer}/.well-known/oauth-authorization-server`
  return AuthorizationServerMetadata.parse((await send(url)).body)
}

// A server that takes registrations, an initial access token for two, and what a client sends to register.
import { START_AT } from './clock.ts'
import { connectAdmin, enrollCast } from './admin-client.ts'
import { startAuthServer } from './auth-server.ts'
import { send, type Answer } from './oauth-request.ts'

/** Starts it. */
export async function createRegistrationWorld() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer({ isRegistrationOpen: true }))
  const admin = stack.use(connectAdmin(server))
  const { bob } = await enrollCast(admin)
  const { initialAccessToken, initialAccessTokenId } = await admin.registrationTokens.create.mutate(
    {
      scopes: ['notes:read', 'notes:write'],
      audiences: [bob.id],
      maxRegistrations: 2,
      expiresAt: START_AT + 3600,
    },
  )
  const resources = stack.move()
  const register = async (
    metadata: object | string = { client_name: 'Nightly Digest' },
    token: string | undefined = initialAccessToken,
  ): Promise<Answer> =>
    callRegistration(`${server.issuer}/oauth/register`, { method: 'POST', token, body: metadata })
  return {
    server,
    admin,
    bob,
    initialAccessToken,
    initialAccessTokenId,
    register,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

type Call = {
  readonly method: string
  readonly token?: string | undefined
  readonly body?: object | string | undefined
}

/** Sends one request to the registration endpoints. */
export async function callRegistration(
  url: string,
  { body, method, token }: Call,
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return send(url, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: text }),
  })
}

/** What a client keeps of the answer to its registration. */
export function readRegistration({ body }: Answer) {
  return {
    id: String(body['client_id']),
    secret: String(body['client_secret']),
    token: String(body['registration_access_token']),
    uri: String(body['registration_client_uri']),
  }
}

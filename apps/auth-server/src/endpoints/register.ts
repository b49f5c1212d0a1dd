// POST /oauth/register (RFC 7591 §3), and GET, PUT and DELETE of one registration (RFC 7592 §2).
import type { AuditLog } from '../audit/audit-log.ts'
import type { ClientLimits } from '../clients/client-limits.ts'
import type { Endpoint, OAuthAnswer, OAuthRequest } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'
import { ClientMetadata } from '../registration/client-metadata.ts'
import type { Access, Registered, Registration } from '../registration/registration.ts'
import {
  createAuditedEndpoint,
  describeRequest,
  type AuditedEndpoint,
  type Trail,
} from './audited.ts'
import { ENDPOINT_PATH } from './metadata.ts'

export type RegisterEndpointsOptions = {
  readonly registration: Registration
  readonly issuer: string
  readonly limits: ClientLimits
  readonly audit: AuditLog
}

export type RegisterEndpoints = {
  readonly create: Endpoint
  readonly read: Endpoint
  readonly replace: Endpoint
  readonly remove: Endpoint
}

/**
 * > The value of this field MUST be "application/json" (RFC 7591 §3.1), and of §2.2 of RFC 7592:
 * > The client MUST NOT include these fields in an update.
 */
const NEVER_UPDATED = [
  'registration_access_token',
  'registration_client_uri',
  'client_secret_expires_at',
  'client_id_issued_at',
]

/** Creates the endpoints. */
export function createRegisterEndpoints(options: RegisterEndpointsOptions): RegisterEndpoints {
  const { audit, issuer, limits, registration } = options

  const audited = (endpoint: AuditedEndpoint): Endpoint =>
    createAuditedEndpoint(audit, 'client.registration_refused', async (request, trail) => {
      let clientId: string | undefined
      const note: typeof trail.note = (known) => {
        clientId = known.actorId ?? clientId
        trail.note(known)
      }
      try {
        return await endpoint(request, { note })
      } catch (error) {
        if (!(error instanceof OAuthError) || error.code !== 'invalid_token') throw error
        throw await limits.countFailure(error, { clientId, address: request.remoteAddress })
      }
    })

  /** Whose registration it is, and not too often. */
  async function identify(request: OAuthRequest, trail: Trail): Promise<Access> {
    const clientId = request.path.slice(request.path.lastIndexOf('/') + 1)
    trail.note({ actorId: clientId })
    const access = { token: readBearer(request), clientId }
    const agent = await registration.findAgent(access)
    await limits.count(agent)
    return access
  }

  function answer(status: number, registered: Registered): OAuthAnswer {
    const { agent, clientSecret, metadata, registrationAccessToken } = registered
    return {
      status,
      body: {
        ...metadata,
        client_id: agent.id,
        client_id_issued_at: agent.createdAt,
        // > REQUIRED if "client_secret" is issued. […] the value 0 if it will not expire.
        ...(clientSecret === undefined
          ? {}
          : { client_secret: clientSecret, client_secret_expires_at: 0 }),
        registration_access_token: registrationAccessToken,
        registration_client_uri: `${issuer.replace(/\/$/, '')}${ENDPOINT_PATH.register}/${agent.id}`,
      },
    }
  }

  return {
    create: audited(async (request) => {
      const token = readBearer(request)
      const metadata = parseMetadata(await readJson(request))
      return answer(201, await registration.register(token, metadata, describeRequest(request)))
    }),

    read: audited(async (request, trail) => {
      const { clientId, token } = await identify(request, trail)
      return answer(200, await registration.read(token, clientId))
    }),

    replace: audited(async (request, trail) => {
      const access = await identify(request, trail)
      const body = await readJson(request)
      const forbidden = NEVER_UPDATED.find((name) => Object.hasOwn(body, name))
      if (forbidden !== undefined) throw invalidMetadata(`${forbidden} must not be sent`)
      if (!('client_id' in body) || body.client_id !== access.clientId) {
        throw invalidMetadata('client_id must be the one that is updated')
      }
      const metadata = parseMetadata(body)
      return answer(200, await registration.replace(access, metadata, describeRequest(request)))
    }),

    remove: audited(async (request, trail) => {
      const access = await identify(request, trail)
      await registration.remove(access, describeRequest(request))
      return { status: 204 }
    }),
  }
}

function readBearer({ headers }: OAuthRequest): string {
  const token = /^Bearer +([A-Za-z0-9-]+)$/i.exec(headers.authorization ?? '')?.[1]
  if (token !== undefined) return token
  throw new OAuthError({
    code: 'invalid_token',
    message: 'send the token that allows this as "Authorization: Bearer <token>"',
    status: 401,
    // > This scheme MUST be followed by one or more auth-param values. (RFC 6750 §3)
    headers: { 'www-authenticate': 'Bearer realm="deputy"' },
  })
}

async function readJson(request: OAuthRequest): Promise<object> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json') throw invalidMetadata('the body must be application/json')
  const text = await request.readBody()
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body
  } catch {
    // Said below: what JSON.parse says would quote the body.
  }
  throw invalidMetadata('the body must be one JSON object')
}

function parseMetadata(body: object): ClientMetadata {
  const metadata = ClientMetadata.safeParse(body)
  if (metadata.success) return metadata.data
  const issue = metadata.error.issues[0]
  throw invalidMetadata(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'does not fit'}`)
}

function invalidMetadata(message: string): OAuthError {
  return new OAuthError({ code: 'invalid_client_metadata', message })
}

// Registers clients and lets them manage their own registration (RFC 7591, RFC 7592). A client becomes
// an agent of the initial access token's owner, with no more than that token gives.
import {
  createAgentSecret,
  findMissingScopes,
  formatScope,
  type Clock,
} from '@deputy/auth/protocol'
import { randomBytes } from 'node:crypto'
import { AgentSettings, type Agent } from '../agents/agent.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { createClientKey } from '../clients/create-client-key.ts'
import { createClientSecret } from '../clients/create-client-secret.ts'
import { OAuthError } from '../oauth-error.ts'
import { denyAgent, denyCredential } from '../revocation/deny.ts'
import { noteChange } from '../revocation/note-change.ts'
import { hashSecret } from '../secret-hash.ts'
import type { Storage } from '../storage/open-storage.ts'
import type { ClientMetadata } from './client-metadata.ts'
import type { InitialAccessTokenRecord } from './initial-access-token.ts'
import type { RegistrationRecord } from './registration-store.ts'

/** A registration as its client gets it; the secrets are shown when they are made, and never again. */
export type Registered = {
  readonly agent: Agent
  readonly metadata: ClientMetadata
  readonly clientSecret?: string | undefined
  readonly registrationAccessToken?: string | undefined
}

export type Registration = {
  register(token: string, metadata: ClientMetadata, context: Context): Promise<Registered>
  read(token: string, clientId: string): Promise<Registered>
  replace(access: Access, metadata: ClientMetadata, context: Context): Promise<Registered>
  /** Ends the agent with all that it holds (RFC 7592 §2.3). */
  remove(access: Access, context: Context): Promise<void>
}

/** Who manages which registration. */
export type Access = { readonly token: string; readonly clientId: string }

/** What the audit entry has of the request. */
type Context = Partial<AuditEvent>

export type RegistrationOptions = { readonly storage: Storage; readonly clock: Clock }

/** Creates the registration of clients. Its functions reject with `OAuthError`. */
export function createRegistration({ clock, storage }: RegistrationOptions): Registration {
  async function findOwn({ clientId, token }: Access) {
    const registration = await storage.registrations.findByHash(hashSecret(token))
    const agent = registration && (await storage.clients.find(registration.agentId))
    // > If the client does not exist on this server, the server MUST respond with HTTP 401 […] and the
    // > registration access token used to make this request SHOULD be immediately revoked. (§2.1)
    // A token used on another's registration is answered alike.
    if (registration?.agentId !== clientId || agent?.state !== 'active') throw invalidToken()
    return { registration, agent }
  }

  return {
    async register(token, metadata, context) {
      const now = clock.now()
      const initial = await storage.initialAccessTokens.findByHash(hashSecret(token))
      if (initial === undefined) throw invalidToken()
      const agent: Agent = {
        ...toSettings(metadata, initial),
        id: createClientId(metadata.client_name),
        ownerId: initial.ownerId,
        state: 'active',
        createdAt: now,
      }
      const registrationAccessToken = createAgentSecret('registrationAccessToken')
      const registration: RegistrationRecord = {
        agentId: agent.id,
        tokenHash: hashSecret(registrationAccessToken),
        initialAccessTokenId: initial.id,
        metadata: { ...metadata, scope: formatScope(agent.scopes) },
        createdAt: now,
      }
      return storage.act(async (stores, note) => {
        if (!(await stores.initialAccessTokens.consume(initial.id, now))) throw invalidToken()
        await stores.agents.insert(agent)
        await stores.registrations.insert(registration)
        const clientSecret = await addCredentials(stores, agent, registration)
        note({ ...describe(agent, context), event: 'client.registered', credentialId: initial.id })
        return { agent, metadata: registration.metadata, clientSecret, registrationAccessToken }
      })
    },

    async read(token, clientId) {
      const { agent, registration } = await findOwn({ token, clientId })
      return { agent, metadata: registration.metadata }
    },

    async replace(access, metadata, context) {
      const { agent, registration } = await findOwn(access)
      const settings = toSettings(metadata, {
        id: registration.initialAccessTokenId,
        scopes: agent.scopes,
        audiences: agent.audiences,
      })
      const next = { ...metadata, scope: formatScope(settings.scopes) }
      return storage.act(async (stores, note) => {
        const changes = { ...settings, jwksUri: settings.jwksUri ?? null }
        const changed = await stores.agents.update({ id: agent.id, within: agent.ownerId }, changes)
        if (changed === undefined) throw invalidToken()
        await noteChange(stores, agent.id, clock.now())
        await stores.registrations.updateMetadata(agent.id, next)
        if (next.jwks !== undefined) {
          // > Valid values of client metadata fields in this request MUST replace, not augment (§2.2)
          for (const { id } of await stores.clientKeys.listByAgent(agent.id, agent.ownerId)) {
            await stores.clientKeys.deactivate({ id, within: agent.ownerId }, clock.now())
            await denyCredential(stores, id, clock.now())
          }
          await addKeys(stores, { ...agent, createdAt: clock.now() }, next)
        }
        note({ ...describe(agent, context), event: 'client.updated' })
        return { agent: changed, metadata: next }
      })
    },

    async remove(access, context) {
      const { agent } = await findOwn(access)
      await storage.act(async (stores, note) => {
        await stores.registrations.remove(agent.id)
        await stores.agents.deactivate({ id: agent.id, within: agent.ownerId }, clock.now())
        await denyAgent(stores, agent.id, clock.now())
        note({ ...describe(agent, context), event: 'client.deleted' })
      })
    },
  }

  async function addCredentials(
    stores: Pick<Storage, 'clientKeys' | 'clientSecrets'>,
    agent: Agent,
    { metadata }: RegistrationRecord,
  ): Promise<string | undefined> {
    await addKeys(stores, agent, metadata)
    if (metadata.token_endpoint_auth_method === 'private_key_jwt') return undefined
    const { record, secret } = createClientSecret({
      agentId: agent.id,
      label: 'registration',
      now: agent.createdAt,
    })
    await stores.clientSecrets.insert(record)
    return secret
  }
}

/** Keys by value are kept as any other key of an agent. */
async function addKeys(
  stores: Pick<Storage, 'clientKeys'>,
  agent: Agent,
  { jwks }: ClientMetadata,
): Promise<void> {
  for (const jwk of jwks?.keys ?? []) {
    const now = agent.createdAt
    const key = createClientKey({ agentId: agent.id, label: 'registration', jwk, now })
    if (!key.ok) {
      const message = 'jwks: each must be a public key that can verify signatures'
      throw new OAuthError({ code: 'invalid_client_metadata', message })
    }
    await stores.clientKeys.insert(key.value)
  }
}

/** What the token allows: a wish beyond it is refused, and no wish means all of it. */
function toSettings(
  metadata: ClientMetadata,
  limits: Pick<InitialAccessTokenRecord, 'id' | 'scopes' | 'audiences'>,
): AgentSettings {
  const scopes = metadata.scope?.split(' ') ?? limits.scopes
  const refused = findMissingScopes(scopes, limits.scopes)
  if (refused.length > 0) {
    const message = `scope: more than this registration may have: ${formatScope(refused)}`
    throw new OAuthError({ code: 'invalid_client_metadata', message })
  }
  return AgentSettings.parse({
    name: metadata.client_name,
    description: 'registered itself',
    scopes,
    audiences: limits.audiences,
    dpopBoundAccessTokens: metadata.dpop_bound_access_tokens,
    jwksUri: metadata.jwks_uri,
    metadata: {
      initial_access_token: limits.id,
      ...(metadata.software_id === undefined ? {} : { software_id: metadata.software_id }),
      ...(metadata.software_version === undefined
        ? {}
        : { software_version: metadata.software_version }),
    },
  })
}

/** An id that says whose it is to a reader, and that nobody can foresee. */
function createClientId(name: string): string {
  const words = name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 32)
    .replace(/-+$/, '')
  const stem = /^[a-z]/.test(words) ? words : `agent-${words}`.replace(/-+$/, '')
  return `${stem}-${randomBytes(8).toString('hex')}`
}

function describe(agent: Agent, context: Context) {
  return {
    ...context,
    outcome: 'success',
    ownerId: agent.ownerId,
    actorId: agent.id,
    subjectId: agent.id,
    target: { kind: 'agent', id: agent.id },
  } as const
}

function invalidToken(): OAuthError {
  return new OAuthError({
    code: 'invalid_token',
    message: 'the token is unknown, used up, over, or for another client',
    status: 401,
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  })
}

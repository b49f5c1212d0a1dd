// Registers clients and lets them manage their own registration (RFC 7591, RFC 7592). A client becomes
// an agent of the initial access token's owner, with no more than that token gives.
import {
  createAgentSecret,
  findMissingScopes,
  formatScope,
  type Clock,
} from '@deputy/auth/protocol'
import { randomBytes } from 'node:crypto'
import { AgentSettings, type Agent, type AgentChanges } from '../agents/agent.ts'
import type { AgentAt } from '../agents/agent-store.ts'
import type { AuditEvent } from '../audit/audit-event.ts'
import { OAuthError } from '../oauth-error.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { denyAgent } from '../revocation/deny.ts'
import { noteChange } from '../revocation/note-change.ts'
import { hashSecret } from '../secret-hash.ts'
import type { Storage } from '../storage/open-storage.ts'
import type { ClientMetadata } from './client-metadata.ts'
import type { InitialAccessTokenRecord } from './initial-access-token.ts'
import { replaceCredentials } from './registered-credentials.ts'
import type { RegistrationRecord } from './registration-store.ts'

/** A registration as its client gets it; its secret is shown when it is made, and never again. */
export type Registered = {
  readonly agent: Agent
  readonly metadata: ClientMetadata
  readonly clientSecret?: string | undefined
  /** The one that was made, or that the client has shown: every answer has it (RFC 7592 §3). */
  readonly registrationAccessToken: string
}

export type Registration = {
  register(token: string, metadata: ClientMetadata, context: Context): Promise<Registered>
  /** Finds whose registration it is. */
  findAgent(access: Access): Promise<Agent>
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
  async function findOwn(
    { agents, registrations }: Pick<Storage, 'agents' | 'registrations'>,
    { clientId, token }: Access,
  ) {
    const registration = await registrations.findByHash(hashSecret(token))
    const at: AgentAt | undefined = registration && {
      id: registration.agentId,
      within: EVERY_OWNER,
    }
    const agent = at && (await agents.find(at))
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
        const after = registration.metadata
        const clientSecret = await replaceCredentials(stores, {
          agent,
          before: undefined,
          after,
          now,
        })
        note({ ...describe(agent, context), event: 'client.registered', credentialId: initial.id })
        return { agent, metadata: registration.metadata, clientSecret, registrationAccessToken }
      })
    },

    findAgent: async (access) => (await findOwn(storage, access)).agent,
    async read(token, clientId) {
      const { agent, registration } = await findOwn(storage, { token, clientId })
      return {
        agent,
        metadata: asItIs(registration.metadata, agent),
        registrationAccessToken: token,
      }
    },

    async replace(access, metadata, context) {
      const now = clock.now()
      return storage.act(async (stores, note) => {
        // Its name first: from then on nobody else changes the agent, and what it may have is decided by how it is now.
        // Attack prevented: an operator takes something away, and a replacement under way writes it back.
        const at: AgentAt = { id: access.clientId, within: EVERY_OWNER }
        await stores.agents.update(at, { name: metadata.client_name })
        const { agent, registration } = await findOwn(stores, access)
        const changes = toChanges(metadata, { agent, registration })
        const next = { ...metadata, scope: formatScope(changes.scopes) }
        const changed = await stores.agents.update(at, changes)
        if (changed === undefined) throw invalidToken()
        await noteChange(stores, agent.id, now)
        await stores.registrations.updateMetadata(agent.id, next)
        const before = registration.metadata
        const clientSecret = await replaceCredentials(stores, { agent, before, after: next, now })
        note({ ...describe(agent, context), event: 'client.updated' })
        return {
          agent: changed,
          metadata: asItIs(next, changed),
          clientSecret,
          registrationAccessToken: access.token,
        }
      })
    },

    async remove(access, context) {
      await storage.act(async (stores, note) => {
        const { agent } = await findOwn(stores, access)
        // Of two that end it at once, one does.
        if (!(await stores.registrations.remove(agent.id))) throw invalidToken()
        await stores.agents.deactivate({ id: agent.id, within: agent.ownerId }, clock.now())
        await denyAgent(stores, agent.id, clock.now())
        note({ ...describe(agent, context), event: 'client.deleted' })
      })
    },
  }
}

/** Of its settings, what a client that registers decides. */
function toSettings(metadata: ClientMetadata, limits: InitialAccessTokenRecord): AgentSettings {
  return AgentSettings.parse({
    name: metadata.client_name,
    description: 'registered itself',
    scopes: requireScopes(metadata, limits.scopes),
    audiences: limits.audiences,
    dpopBoundAccessTokens: metadata.dpop_bound_access_tokens,
    jwksUri: metadata.jwks_uri,
    metadata: { initial_access_token: limits.id, ...toNotes(metadata) },
  })
}

/**
 * What a client changes by its registration, and nothing else. Attack prevented: a client that was put under closer
 * watch sends its registration anew, and has the defaults of a new agent.
 */
function toChanges(
  metadata: ClientMetadata,
  { agent, registration }: { readonly agent: Agent; readonly registration: RegistrationRecord },
): AgentChanges & { readonly scopes: string[] } {
  const { software_id: _id, software_version: _version, ...notes } = agent.metadata
  // What the client did not ask for, an operator has decided.
  const isDecided = agent.dpopBoundAccessTokens && !registration.metadata.dpop_bound_access_tokens
  return {
    scopes: [...requireScopes(metadata, agent.scopes)],
    dpopBoundAccessTokens: metadata.dpop_bound_access_tokens || isDecided,
    jwksUri: metadata.jwks_uri ?? null,
    metadata: requireNotes({ ...notes, ...toNotes(metadata) }),
  }
}

/** A wish beyond what is allowed is refused, and no wish means all of it. */
function requireScopes(metadata: ClientMetadata, allowed: readonly string[]): readonly string[] {
  const scopes = [...new Set(metadata.scope?.split(' ') ?? allowed)]
  const refused = findMissingScopes(scopes, allowed)
  if (refused.length === 0) return scopes
  const message = `scope: more than this registration may have: ${formatScope(refused)}`
  throw new OAuthError({ code: 'invalid_client_metadata', message })
}

/** Attack prevented: a client whose notes are too many to be read again, with which no list of agents can be read. */
function requireNotes(notes: Record<string, string>): Record<string, string> {
  if (AgentSettings.shape.metadata.safeParse(notes).success) return notes
  const message = 'software_id, software_version: there is no room for them beside what is noted'
  throw new OAuthError({ code: 'invalid_client_metadata', message })
}

function toNotes({ software_id, software_version }: ClientMetadata): Record<string, string> {
  return {
    ...(software_id === undefined ? {} : { software_id }),
    ...(software_version === undefined ? {} : { software_version }),
  }
}

/**
 * > The authorization server MUST return all registered metadata about this client […] the authorization server MAY
 * > reject or replace any of the client's requested metadata values (RFC 7591 §3.2.1)
 */
function asItIs(metadata: ClientMetadata, agent: Agent): ClientMetadata {
  return { ...metadata, dpop_bound_access_tokens: agent.dpopBoundAccessTokens }
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

// The first start: makes the server's own identity and an operator, whose random secret goes into a
// file that only its owner can read. Nothing is built in.
import { CredentialsFile, formatScope, type Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import { makeFolder } from '@deputy/storage'
import { randomUUID } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ADMIN_SCOPES, AUTH_SERVER_ID, OPERATOR_ID, OWNER_SCOPES } from './admin/admin-scopes.ts'
import { AgentSettings } from './agents/agent.ts'
import { normalizeResourceUrl } from './agents/resource-url.ts'
import { createClientSecret } from './clients/create-client-secret.ts'
import { toTokenEndpoint } from './endpoints/metadata.ts'
import { SYSTEM_OWNER_ID } from './owners/owner.ts'
import { denyCredential } from './revocation/deny.ts'
import type { Storage } from './storage/open-storage.ts'
import type { Stores } from './storage/stores.ts'

/** A path; or, for a server that leaves nothing on disk, what takes the credentials. */
export type OperatorFile = string | ((credentials: CredentialsFile) => void)

export type BootstrapOptions = {
  readonly storage: Storage
  readonly issuer: string
  readonly operatorFile: OperatorFile
  /** Gives the operator a new secret in place of all others, and its authority back. */
  readonly resetOperator: boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes what is missing. A later start changes nothing but where the server is, and which scopes it knows. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { clock, issuer, logger, operatorFile, resetOperator, storage } = options
  const now = clock.now()
  await storage.owners.insert({
    id: SYSTEM_OWNER_ID,
    name: 'Operator of this server',
    createdAt: now,
  })
  const members = { ownerId: SYSTEM_OWNER_ID, state: 'active', createdAt: now } as const
  await storage.agents.insert({
    ...AgentSettings.parse({ name: 'Authorization server' }),
    ...members,
    id: AUTH_SERVER_ID,
  })
  // A new version may know more scopes than the one that made the agent, and the server may have moved.
  await storage.agents.update(
    { id: AUTH_SERVER_ID, within: SYSTEM_OWNER_ID },
    {
      scopesSupported: [...ADMIN_SCOPES],
      sharedScopes: [...OWNER_SCOPES],
      url: normalizeResourceUrl(issuer),
    },
  )
  await storage.agents.insert({
    ...AgentSettings.parse({
      name: 'Operator',
      scopes: [...ADMIN_SCOPES],
      audiences: [AUTH_SERVER_ID],
    }),
    ...members,
    id: OPERATOR_ID,
  })
  const secrets = await storage.clientSecrets.listByAgent(OPERATOR_ID, SYSTEM_OWNER_ID)
  if (secrets.length > 0 && !resetOperator) {
    if (typeof operatorFile === 'string') await updateIssuer(operatorFile, issuer)
    return
  }
  const { record, secret } = createClientSecret({
    agentId: OPERATOR_ID,
    label: 'operator file',
    now,
  })
  // The file first: a crash in between leaves a file of no use, which the next start replaces,
  // and not an operator whose secret nobody knows.
  const credentials = {
    issuer,
    client_id: OPERATOR_ID,
    client_secret: secret,
    scope: formatScope(ADMIN_SCOPES),
    token_endpoint: toTokenEndpoint(issuer),
  }
  if (typeof operatorFile === 'string') await writeCredentials(operatorFile, credentials)
  else operatorFile(credentials)
  await storage.act(async (stores, note) => {
    await restoreAuthority(stores)
    await stores.clientSecrets.insert(record)
    // A reset is for a file that was lost, perhaps to somebody: what was in it must not go on working.
    for (const { id } of secrets) {
      await stores.clientSecrets.deactivate({ id, within: SYSTEM_OWNER_ID }, now)
      await denyCredential(stores, id, now)
    }
    if (secrets.length > 0) note({ ...RESET, target: { kind: 'client_secret', id: record.id } })
  })
  if (typeof operatorFile === 'string') {
    logger.info({ operatorFile }, "the operator's credentials are in this file")
  }
}

/** What the trail says of a reset: whoever starts the server acted, and is no agent. */
const RESET = {
  event: 'operator.reset',
  outcome: 'success',
  ownerId: SYSTEM_OWNER_ID,
  subjectId: OPERATOR_ID,
} as const

/** Gives back what the operator needs to administer, beside whatever else it has by now. */
async function restoreAuthority({ agents }: Pick<Stores, 'agents'>): Promise<void> {
  const at = { id: OPERATOR_ID, within: SYSTEM_OWNER_ID }
  const operator = await agents.find(at)
  if (operator === undefined) return
  await agents.update(at, {
    scopes: [...new Set([...operator.scopes, ...ADMIN_SCOPES])],
    audiences: [...new Set([...operator.audiences, AUTH_SERVER_ID])],
  })
}

async function writeCredentials(file: string, credentials: CredentialsFile): Promise<void> {
  makeFolder(dirname(file))
  // A name that nobody can foresee, and a file that must be new. Attack prevented: a file or a link
  // that waits under the draft's name, for the secret to be written into.
  const draft = `${file}.${randomUUID()}`
  const text = `${JSON.stringify(credentials, undefined, 2)}\n`
  await writeFile(draft, text, { mode: 0o600, flag: 'wx' })
  await rename(draft, file)
}

/** Keeps the operator's file true when the server moves. An operator who took the file away keeps it. */
async function updateIssuer(file: string, issuer: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const credentials = parseCredentials(text)
  if (credentials === undefined) {
    throw new Error(
      `${file} does not hold credentials: mend it, or take it away (DEPUTY_RESET_OPERATOR=true makes a new one)`,
    )
  }
  if (credentials.issuer === issuer) return
  const endpoint = toTokenEndpoint(issuer)
  await writeCredentials(file, { ...credentials, issuer, token_endpoint: endpoint })
}

/** `undefined` for anything else. What JSON and zod say of it might quote the secret. */
function parseCredentials(text: string): CredentialsFile | undefined {
  try {
    return CredentialsFile.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

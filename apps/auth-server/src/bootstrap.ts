// The first start: makes the server's own identity and an operator, whose random secret goes into a
// file that only its owner can read. Nothing is built in.
import { CredentialsFile, formatScope, type Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ADMIN_SCOPES, AUTH_SERVER_ID, OPERATOR_ID } from './admin/admin-scopes.ts'
import { createClientSecret } from './clients/create-client-secret.ts'
import { createMetadata } from './endpoints/metadata.ts'
import type { Storage } from './storage/open-storage.ts'

export type BootstrapOptions = {
  readonly storage: Storage
  readonly issuer: string
  readonly operatorFile: string
  /** Gives the operator a new secret in place of all others, and its authority back. */
  readonly resetOperator: boolean
  readonly clock: Clock
  readonly logger: Logger
}

/** Makes what is missing. A later start changes nothing but the issuer in the operator's file. */
export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { clock, issuer, logger, operatorFile, resetOperator, storage } = options
  const now = clock.now()
  const settings = { description: '', accessTokenTtlSeconds: 900, createdAt: now } as const
  await storage.agents.insert({
    ...settings,
    id: AUTH_SERVER_ID,
    name: 'Authorization server',
    state: 'active',
    scopes: [],
    audiences: [],
    scopesSupported: [...ADMIN_SCOPES],
  })
  await storage.agents.insert({
    ...settings,
    id: OPERATOR_ID,
    name: 'Operator',
    state: 'active',
    scopes: [...ADMIN_SCOPES],
    audiences: [AUTH_SERVER_ID],
    scopesSupported: [],
  })
  const secrets = await storage.clientSecrets.listByAgent(OPERATOR_ID)
  if (secrets.length > 0 && !resetOperator) {
    await updateIssuer(operatorFile, issuer)
    return
  }
  await restoreAuthority(storage)
  const { record, secret } = createClientSecret(OPERATOR_ID, now)
  // The file first: a crash in between leaves a file of no use, which the next start replaces,
  // and not an operator whose secret nobody knows.
  await writeCredentials(operatorFile, {
    issuer,
    client_id: OPERATOR_ID,
    client_secret: secret,
    scope: formatScope(ADMIN_SCOPES),
    token_endpoint: createMetadata(issuer).token_endpoint,
  })
  await storage.clientSecrets.insert(record)
  // A reset is for a file that was lost, perhaps to somebody: what was in it must not go on working.
  for (const { id } of secrets) await storage.clientSecrets.deactivate(id, now)
  logger.info({ operatorFile }, "the operator's credentials are in this file")
}

/** Gives back what the operator needs to administer, beside whatever else it has by now. */
async function restoreAuthority({ agents }: Storage): Promise<void> {
  const operator = await agents.find(OPERATOR_ID)
  if (operator === undefined) return
  await agents.update(OPERATOR_ID, {
    scopes: [...new Set([...operator.scopes, ...ADMIN_SCOPES])],
    audiences: [...new Set([...operator.audiences, AUTH_SERVER_ID])],
  })
}

async function writeCredentials(file: string, credentials: CredentialsFile): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
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
  const endpoint = createMetadata(issuer).token_endpoint
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

// The adapters of the storage ports. Every port's suite runs on every one of them.
import type { Clock } from '@deputy/auth/protocol'
import { AgentSettings, type Agent } from '../src/agents/agent.ts'
import type { ApiKeyRecord } from '../src/api-keys/api-key-store.ts'
import type { ClientKeyRecord } from '../src/clients/client-key-store.ts'
import type { ClientSecretRecord } from '../src/clients/client-secret-store.ts'
import { SYSTEM_OWNER_ID } from '../src/owners/owner.ts'
import { hashSecret } from '../src/secret-hash.ts'
import { openStorage, type Storage } from '../src/storage/open-storage.ts'
import { join } from 'node:path'
import { START_AT } from './clock.ts'
import { createPostgresDatabase, postgresUrl } from '../../../test/support/postgres-database.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'

/** One empty place to keep things in. `open` may be called again, also while it is open already. */
export type StoragePlace = AsyncDisposable & { open(clock?: Clock): Promise<Storage> }

export type StorageAdapter = {
  readonly name: string
  createPlace(): Promise<StoragePlace>
}

export const STORAGE_ADAPTERS: readonly StorageAdapter[] = [
  {
    name: 'SQLite',
    async createPlace() {
      const folder = await createTemporaryFolder()
      const file = join(folder.path, 'test.sqlite')
      const open = async (clock?: Clock): Promise<Storage> => openStorage({ file }, clock)
      return { open, [Symbol.asyncDispose]: async () => folder[Symbol.asyncDispose]() }
    },
  },
  ...(postgresUrl === undefined
    ? []
    : [
        {
          name: 'PostgreSQL',
          async createPlace() {
            const database = await createPostgresDatabase()
            const open = async (clock?: Clock): Promise<Storage> =>
              openStorage({ url: database.url }, clock)
            return { open, [Symbol.asyncDispose]: async () => database[Symbol.asyncDispose]() }
          },
        },
      ]),
]

/** A fresh storage, gone with the test. */
export async function createStorage(adapter: StorageAdapter, clock?: Clock): Promise<Storage> {
  await using stack = new AsyncDisposableStack()
  const place = stack.use(await adapter.createPlace())
  const storage = stack.use(await place.open(clock))
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { ...storage, close, [Symbol.asyncDispose]: close }
}

/** An agent; nothing allowed unless said. */
export function makeAgent(members: Partial<Agent> = {}): Agent {
  return {
    ...AgentSettings.parse({ name: 'Alice' }),
    id: 'agent-alice',
    ownerId: SYSTEM_OWNER_ID,
    state: 'active',
    createdAt: START_AT,
    url: undefined,
    jwksUri: undefined,
    deactivatedAt: undefined,
    ...members,
  }
}

/** A secret of `agent-alice`, whose text is its id. */
export function makeClientSecret(members: Partial<ClientSecretRecord> = {}): ClientSecretRecord {
  const id = members.id ?? 'secret-1'
  return { ...makeCredential(id), secretHash: Uint8Array.from(hashSecret(id)), ...members }
}

/** A key of `agent-alice`, whose text is its id. */
export function makeApiKey(members: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  const id = members.id ?? 'key-1'
  return {
    ...makeCredential(id),
    label: 'laptop',
    rateLimitTier: undefined,
    scopes: ['notes:read'],
    keyHash: Uint8Array.from(hashSecret(id)),
    ...members,
  }
}

/** A public key of `agent-alice`; its text is that of RFC 7515 §A.3. */
export function makeClientKey(members: Partial<ClientKeyRecord> = {}): ClientKeyRecord {
  const id = members.id ?? 'key-1'
  return {
    ...makeCredential(id),
    kid: id,
    publicJwk: {
      kty: 'EC',
      crv: 'P-256',
      x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
      y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      kid: id,
      use: 'sig',
    },
    ...members,
  }
}

function makeCredential(id: string) {
  return {
    id,
    agentId: 'agent-alice',
    label: '',
    supersededBy: undefined,
    createdAt: START_AT,
    expiresAt: undefined,
    deactivatedAt: undefined,
    lastUsedAt: undefined,
  }
}

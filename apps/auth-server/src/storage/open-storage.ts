// The only place that picks adapters.
import { openDatabase } from '@deputy/storage'
import type { AgentStore } from '../agents/agent-store.ts'
import type { ApiKeyStore } from '../api-keys/api-key-store.ts'
import type { ClientSecretStore } from '../clients/client-secret-store.ts'
import type { SigningKeyStore } from '../keys/signing-key-store.ts'
import { createKyselyAgentStore } from './agent-store.ts'
import { createKyselyApiKeyStore } from './api-key-store.ts'
import { createKyselyClientSecretStore } from './client-secret-store.ts'
import { migrations } from './migrations.ts'
import { createKyselySigningKeyStore } from './signing-key-store.ts'
import type { Tables } from './tables.ts'

/** Everything that the authorization server keeps. */
export type Storage = AsyncDisposable & {
  readonly agents: AgentStore
  readonly clientSecrets: ClientSecretStore
  readonly apiKeys: ApiKeyStore
  readonly signingKeys: SigningKeyStore
  close(): Promise<void>
}

/** Opens the SQLite file, or `:memory:`. Rejects with `DatabaseOpenError`. */
export async function openStorage(file: string): Promise<Storage> {
  const database = await openDatabase<Tables>({ file, migrations })
  const { db } = database
  const close = async (): Promise<void> => database.close()
  return {
    agents: createKyselyAgentStore(db),
    clientSecrets: createKyselyClientSecretStore(db),
    apiKeys: createKyselyApiKeyStore(db),
    signingKeys: createKyselySigningKeyStore(db),
    close,
    [Symbol.asyncDispose]: close,
  }
}

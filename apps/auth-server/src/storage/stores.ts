import type { Kysely } from 'kysely'
import type { AgentStore } from '../agents/agent-store.ts'
import type { ApiKeyStore } from '../api-keys/api-key-store.ts'
import type { ApprovalStore } from '../approvals/approval-store.ts'
import type { ClientDirectory } from '../clients/client-directory.ts'
import type { ClientKeyStore } from '../clients/client-key-store.ts'
import type { ClientSecretStore } from '../clients/client-secret-store.ts'
import type { CredentialUseStore } from '../credentials/credential-use-store.ts'
import type { GrantStore } from '../delegation/grant-store.ts'
import type { SigningKeyStore } from '../keys/signing-key-store.ts'
import type { OwnerStore } from '../owners/owner-store.ts'
import type { InitialAccessTokenStore } from '../registration/initial-access-token.ts'
import type { RegistrationStore } from '../registration/registration-store.ts'
import type { RevocationStore } from '../revocation/revocation-store.ts'
import { createKyselyAgentStore } from './agent-store.ts'
import { createKyselyApiKeyStore } from './api-key-store.ts'
import { createKyselyApprovalStore } from './approval-store.ts'
import { createKyselyClientDirectory } from './client-directory.ts'
import { createKyselyClientKeyStore } from './client-key-store.ts'
import { createKyselyClientSecretStore } from './client-secret-store.ts'
import { createKyselyCredentialUseStore } from './credential-use-store.ts'
import { createKyselyGrantStore } from './grant-store.ts'
import { createKyselyOwnerStore } from './owner-store.ts'
import { createKyselyInitialAccessTokenStore } from './initial-access-token-store.ts'
import { createKyselyRegistrationStore } from './registration-store.ts'
import { createKyselyRevocationStore } from './revocation-store.ts'
import { createKyselySigningKeyStore } from './signing-key-store.ts'
import type { Tables } from './tables.ts'

/** Everything that the authorization server keeps, noun by noun. */
export type Stores = {
  readonly owners: OwnerStore
  readonly agents: AgentStore
  readonly clients: ClientDirectory
  readonly clientSecrets: ClientSecretStore
  readonly clientKeys: ClientKeyStore
  readonly lastUses: CredentialUseStore
  readonly apiKeys: ApiKeyStore
  readonly initialAccessTokens: InitialAccessTokenStore
  readonly registrations: RegistrationStore
  readonly grants: GrantStore
  readonly approvals: ApprovalStore
  readonly revocations: RevocationStore
  readonly signingKeys: SigningKeyStore
}

/** Creates the stores on a database, or on one transaction of it. */
export function createStores(db: Kysely<Tables>): Stores {
  return {
    owners: createKyselyOwnerStore(db),
    agents: createKyselyAgentStore(db),
    clients: createKyselyClientDirectory(db),
    clientSecrets: createKyselyClientSecretStore(db),
    clientKeys: createKyselyClientKeyStore(db),
    lastUses: createKyselyCredentialUseStore(db),
    apiKeys: createKyselyApiKeyStore(db),
    initialAccessTokens: createKyselyInitialAccessTokenStore(db),
    registrations: createKyselyRegistrationStore(db),
    grants: createKyselyGrantStore(db),
    approvals: createKyselyApprovalStore(db),
    revocations: createKyselyRevocationStore(db),
    signingKeys: createKyselySigningKeyStore(db),
  }
}

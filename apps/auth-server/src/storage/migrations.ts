import type { Migration } from 'kysely/migration'
import { createIdentities } from './migrations/001-create-identities.ts'
import { owners } from './migrations/002-owners.ts'
import { createSigningKeyStates } from './migrations/003-signing-key-states.ts'
import { createAudit } from './migrations/004-create-audit.ts'
import { replayClaims } from './migrations/005-replay-claims.ts'
import { clientKeys } from './migrations/006-client-keys.ts'
import { registration } from './migrations/007-registration.ts'
import { delegation } from './migrations/008-delegation.ts'
import { approvals } from './migrations/009-approvals.ts'
import { ownerEnds } from './migrations/010-owner-ends.ts'
import { authorityVersion } from './migrations/011-authority-version.ts'
import { credentialUses } from './migrations/012-credential-uses.ts'
import { authorityChanges } from './migrations/013-authority-changes.ts'

/** Forward only. A migration that was released is never changed. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-create-identities': createIdentities,
  '002-owners': owners,
  '003-signing-key-states': createSigningKeyStates,
  '004-create-audit': createAudit,
  '005-replay-claims': replayClaims,
  '006-client-keys': clientKeys,
  '007-registration': registration,
  '008-delegation': delegation,
  '009-approvals': approvals,
  '010-owner-ends': ownerEnds,
  '011-authority-version': authorityVersion,
  '012-credential-uses': credentialUses,
  '013-authority-changes': authorityChanges,
}

// The tables as Kysely sees them. Lists are JSON text; times are epoch seconds.
import type { ColumnType, Generated } from 'kysely'
import type { SignatureAlgorithm } from '@deputy/auth/protocol'

export type AgentTable = {
  id: string
  name: string
  description: string
  state: 'active' | 'inactive'
  scopes: string
  audiences: string
  scopes_supported: string
  access_token_ttl_seconds: number
  owner_id: string
  shared_scopes: string
  url: string | null
  authorization_details_types: string
  scope_policy: 'exact' | 'partial'
  dpop_bound_access_tokens: 0 | 1
  jwks_uri: string | null
  rate_limit_tier: string
  delegation: string
  metadata: string
  approval_scopes: string
  created_at: number
  deactivated_at: number | null
}

export type OwnerTable = {
  id: string
  name: string
  created_at: number
  deactivated_at: number | null
}

/** What every kind of credential has. */
export type CredentialColumns = {
  id: string
  agent_id: string
  label: string
  created_at: number
  expires_at: number | null
  deactivated_at: number | null
  superseded_by: string | null
}

/** When a credential of any kind was last used; one that never was has no row. */
export type CredentialUseTable = { credential_id: string; last_used_at: number }

export type ClientSecretTable = CredentialColumns & { secret_sha256: Uint8Array }

export type ApiKeyTable = CredentialColumns & {
  scopes: string
  rate_limit_tier: string | null
  key_sha256: Uint8Array
}

export type ClientKeyTable = CredentialColumns & { kid: string; public_jwk: string }

export type SigningKeyTable = {
  kid: string
  algorithm: SignatureAlgorithm
  public_jwk: string
  /** Sealed; empty once the key is retired. */
  sealed_private_jwk: string
  state: 'next' | 'active' | 'retired'
  created_at: number
  activated_at: number | null
  retired_at: number | null
}

/** One node of the tree of grants: a task grant, or a token below one or from an exchange. */
export type DelegationGrantTable = {
  id: string
  kind: 'task' | 'token'
  /** The token or the task grant that it came from; a token of no grant has no row here. */
  parent_id: string | null
  grant_path: string
  owner_id: string
  subject_id: string
  agent_id: string
  actors: string
  audiences: string
  scopes: string
  dropped: string
  limits: string
  max_depth: number
  credential_id: string | null
  opened_by: string
  purpose: string
  created_at: number
  expires_at: number
  revoked_at: number | null
}

/** A call that somebody has to approve, and what was decided. */
export type ApprovalTable = {
  id: string
  owner_id: string
  agent_id: string
  subject_id: string
  actors: string
  audience: string
  scopes: string
  procedure: string
  input_sha256: string
  /** JSON text. */
  input: string | null
  binding_message: string | null
  grant_path: string
  /** The same for every request for the same call. */
  call_fingerprint: string
  /** That again, while it can be decided: no two for one call. */
  pending_call: string | null
  state: 'pending' | 'approved' | 'denied'
  requested_at: number
  expires_at: number
  decided_at: number | null
  decided_by: string | null
  note: string | null
  token_id: string | null
}

/** What is denied before its time, until it would have ended anyway; and what has changed. */
export type RevocationTable = {
  seq: number
  kind: 'grant' | 'agent' | 'change'
  denied_id: string
  revoked_at: number
  expires_at: number
}

/** One row: the feed's name, and the last number that it gave. */
export type RevocationFeedTable = { feed_id: string; last_seq: number }

/** What was used and may not be used again before it is over. */
export type ReplayClaimTable = {
  claim_key: string
  expires_at: number
}

export type InitialAccessTokenTable = {
  id: string
  owner_id: string
  label: string
  scopes: string
  audiences: string
  max_registrations: number
  registrations: number
  token_sha256: Uint8Array
  created_at: number
  expires_at: number
  deactivated_at: number | null
}

export type ClientRegistrationTable = {
  agent_id: string
  token_sha256: Uint8Array
  initial_access_token_id: string
  metadata: string
  created_at: number
}

export type AuditEntryTable = {
  id: Generated<number>
  /** 256 ids in a row: what indexes over values without order begin with. */
  bucket: ColumnType<number, never, never>
  writer_id: string
  seq: number
  prev_hash: string
  hash: string
  at: number
  event: string
  outcome: string
  reason: string | null
  owner_id: string | null
  actor_id: string | null
  subject_id: string | null
  target_kind: string | null
  target_id: string | null
  audience: string | null
  scope: string | null
  credential_id: string | null
  token_id: string | null
  grant_id: string | null
  correlation_id: string | null
  trace_id: string | null
  address: string | null
  details: string | null
}

/** One row: counted up by triggers with each change of an agent or a secret. */
export type AuthorityTable = { version: number }

/** Who changed with a version, or whose secret did. */
export type AuthorityChangeTable = { version: number; agent_id: string }

export type Tables = {
  authority: AuthorityTable
  authority_change: AuthorityChangeTable
  owner: OwnerTable
  agent: AgentTable
  client_secret: ClientSecretTable
  api_key: ApiKeyTable
  client_key: ClientKeyTable
  credential_use: CredentialUseTable
  initial_access_token: InitialAccessTokenTable
  client_registration: ClientRegistrationTable
  delegation_grant: DelegationGrantTable
  approval: ApprovalTable
  revocation: RevocationTable
  revocation_feed: RevocationFeedTable
  audit_entry: AuditEntryTable
  replay_claim: ReplayClaimTable
  signing_key: SigningKeyTable
}

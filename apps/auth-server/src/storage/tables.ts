// The tables as Kysely sees them. Lists are JSON text; times are epoch seconds.
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
  created_at: number
  deactivated_at: number | null
}

export type ClientSecretTable = {
  id: string
  agent_id: string
  secret_sha256: Uint8Array
  created_at: number
  expires_at: number | null
  deactivated_at: number | null
  last_used_at: number | null
}

export type ApiKeyTable = {
  id: string
  agent_id: string
  label: string
  scopes: string
  key_sha256: Uint8Array
  created_at: number
  expires_at: number | null
  deactivated_at: number | null
  last_used_at: number | null
}

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

export type Tables = {
  agent: AgentTable
  client_secret: ClientSecretTable
  api_key: ApiKeyTable
  signing_key: SigningKeyTable
}

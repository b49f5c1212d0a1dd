// The tables as Kysely sees them. Lists are JSON text; times are epoch seconds.

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
  algorithm: 'ES256'
  public_jwk: string
  private_jwk: string
  created_at: number
}

export type Tables = {
  agent: AgentTable
  client_secret: ClientSecretTable
  api_key: ApiKeyTable
  signing_key: SigningKeyTable
}

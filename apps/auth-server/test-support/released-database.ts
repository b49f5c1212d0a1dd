// Databases as earlier versions left them: with the migrations up to one, and in each table a row as the server of that
// version wrote it.
import { openDatabase, type DatabaseLocation } from '@deputy/storage'
import { generateKeyPairSync } from 'node:crypto'
import { chainEvent, createEmptyHead } from '../src/audit/chain.ts'
import { hashSecret } from '../src/secret-hash.ts'
import { toAuditColumns } from '../src/storage/audit-row.ts'
import { migrations } from '../src/storage/migrations.ts'
import { makeAuditEvent } from './audit.ts'
import { START_AT } from './clock.ts'

/** A row, and which versions wrote it so. A text in a form of bytes stands for its hash. */
type Row = {
  readonly table: string
  readonly row: Readonly<Record<string, unknown>>
  /** The first migration whose version wrote it. */
  readonly from: string
  /** The first one whose version wrote it otherwise, or no more. */
  readonly before?: string
}

/** Every version that there was, oldest first. */
export const RELEASES = Object.keys(migrations)

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const PUBLIC_JWK = JSON.stringify(publicKey.export({ format: 'jwk' }))
const PRIVATE_JWK = JSON.stringify(privateKey.export({ format: 'jwk' }))
const ENTRY = chainEvent(
  makeAuditEvent({ tokenId: 'token-0' }),
  createEmptyHead('writer-1'),
  START_AT,
)

const hashOf = (text: string): Uint8Array => Uint8Array.from(hashSecret(text))
const created = { created_at: START_AT }
const ofAlice = { ...created, agent_id: 'agent-alice' }
const lists = { scopes: '["notes:read"]', audiences: '["agent-bob"]' }
const key = { kid: 'key-1', algorithm: 'ES256', public_jwk: PUBLIC_JWK, ...created }
const onTask = { owner_id: 'system', subject_id: 'agent-alice', actors: '["agent-bob"]' }
const lastUse = { last_used_at: START_AT + 5 }

const ROWS: readonly Row[] = [
  {
    table: 'agent',
    from: '001',
    row: {
      ...created,
      ...lists,
      id: 'agent-alice',
      name: 'Alice',
      description: 'asks',
      state: 'active',
      scopes_supported: '[]',
      access_token_ttl_seconds: 900,
    },
  },
  {
    table: 'client_secret',
    from: '001',
    before: '012',
    row: { ...ofAlice, ...lastUse, id: 'secret-1', secret_sha256: hashOf('secret-1') },
  },
  {
    table: 'client_secret',
    from: '012',
    row: { ...ofAlice, id: 'secret-1', secret_sha256: hashOf('secret-1') },
  },
  {
    table: 'client_secret',
    from: '001',
    row: { ...ofAlice, id: 'unused', secret_sha256: hashOf('unused'), expires_at: START_AT + 60 },
  },
  {
    table: 'api_key',
    from: '001',
    before: '012',
    row: {
      ...ofAlice,
      ...lastUse,
      id: 'api-key-1',
      label: 'laptop',
      scopes: lists.scopes,
      key_sha256: hashOf('api-key-1'),
    },
  },
  {
    table: 'api_key',
    from: '012',
    row: {
      ...ofAlice,
      id: 'api-key-1',
      label: 'laptop',
      scopes: lists.scopes,
      key_sha256: hashOf('api-key-1'),
    },
  },
  {
    table: 'credential_use',
    from: '012',
    row: { ...lastUse, credential_id: 'secret-1' },
  },
  {
    table: 'credential_use',
    from: '012',
    row: { ...lastUse, credential_id: 'api-key-1' },
  },
  {
    table: 'signing_key',
    from: '001',
    before: '003',
    row: { ...key, private_jwk: PRIVATE_JWK },
  },
  {
    table: 'signing_key',
    from: '003',
    row: { ...key, sealed_private_jwk: PRIVATE_JWK, state: 'active', activated_at: START_AT },
  },
  { table: 'owner', from: '002', row: { ...created, id: 'acme', name: 'Acme' } },
  {
    table: 'revoked_token',
    from: '002',
    before: '008',
    row: {
      client_id: 'agent-alice',
      jti: 'token-0',
      revoked_at: START_AT,
      expires_at: START_AT + 900,
    },
  },
  { table: 'audit_entry', from: '004', row: toAuditColumns(ENTRY) },
  {
    table: 'replay_claim',
    from: '005',
    row: { claim_key: 'claim-1', expires_at: START_AT + 60 },
  },
  {
    table: 'client_key',
    from: '006',
    row: { ...ofAlice, id: 'client-key-1', label: '', kid: 'kid-1', public_jwk: PUBLIC_JWK },
  },
  {
    table: 'initial_access_token',
    from: '007',
    row: {
      ...created,
      ...lists,
      id: 'initial-1',
      owner_id: 'acme',
      label: 'for the build',
      max_registrations: 3,
      registrations: 1,
      token_sha256: hashOf('initial-1'),
      expires_at: START_AT + 60,
    },
  },
  {
    table: 'client_registration',
    from: '007',
    row: {
      ...ofAlice,
      token_sha256: hashOf('registration-1'),
      initial_access_token_id: 'initial-1',
      metadata: '{"client_name":"Alice"}',
    },
  },
  {
    table: 'delegation_grant',
    from: '008',
    row: {
      ...created,
      ...onTask,
      id: 'task-1',
      kind: 'task',
      agent_id: 'agent-alice',
      grant_path: '["task-1"]',
      audiences: lists.audiences,
      scopes: lists.scopes,
      dropped: '[]',
      limits: '[]',
      max_depth: 2,
      opened_by: 'operator',
      purpose: 'to pay the rent',
      expires_at: START_AT + 900,
    },
  },
  {
    table: 'revocation',
    from: '008',
    row: {
      seq: 1,
      kind: 'grant',
      denied_id: 'token-0',
      revoked_at: START_AT,
      expires_at: START_AT + 900,
    },
  },
  {
    table: 'approval',
    from: '009',
    row: {
      ...onTask,
      id: 'approval-1',
      agent_id: 'agent-alice',
      audience: 'agent-bob',
      scopes: lists.scopes,
      procedure: 'pay',
      input_sha256: 'A'.repeat(43),
      grant_path: '["task-1"]',
      call_fingerprint: 'call-1',
      pending_call: 'call-1',
      state: 'pending',
      requested_at: START_AT,
      expires_at: START_AT + 900,
    },
  },
]

/** Makes a database as the version of a migration left it. */
export async function writeReleasedDatabase(
  location: DatabaseLocation,
  release: string,
): Promise<void> {
  const known = Object.entries(migrations).filter(([name]) => name <= release)
  await using database = await openDatabase<Record<string, Record<string, unknown>>>({
    ...location,
    migrations: Object.fromEntries(known),
  })
  const { db } = database
  const has = ({ before, from }: Row): boolean =>
    release >= from && (before === undefined || release.slice(0, 3) < before)
  for (const { row, table } of ROWS.filter(has)) await db.insertInto(table).values(row).execute()
  if (release < '008') return
  await db.updateTable('revocation_feed').set({ last_seq: 1 }).execute()
  if (release < '011') return
  // Triggers count this.
  await db.updateTable('agent').set({ description: 'asks and pays' }).execute()
}

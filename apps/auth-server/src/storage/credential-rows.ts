// What the kinds of credentials have in common as rows: whose they are is their agent's owner, they end
// once, and a rotation names the successor once.
import type { EpochSeconds } from '@deputy/auth/protocol'
import { sql, type Kysely, type RawBuilder, type SqlBool } from 'kysely'
import type { CredentialAt, CredentialRecord, Supersession } from '../credentials/credential.ts'
import { EVERY_OWNER, type Tenancy } from '../owners/tenancy.ts'
import { createKyselyCredentialUseStore } from './credential-use-store.ts'
import type { CredentialColumns, Tables } from './tables.ts'

/** The tables of credentials. */
export type CredentialTable = 'client_secret' | 'api_key' | 'client_key'

/** The border between owners, as a condition on a credential's row. */
export function credentialWithin(within: Tenancy): RawBuilder<SqlBool> {
  return within === EVERY_OWNER
    ? sql<SqlBool>`1 = 1`
    : sql<SqlBool>`agent_id in (select id from agent where owner_id = ${within})`
}

/** What every kind of credential is read as. */
export type CredentialRow = CredentialColumns & { readonly last_used_at: number | null }

/** Writes the columns that every kind has. */
export function toCredentialColumns(record: CredentialRecord): CredentialColumns {
  return {
    id: record.id,
    agent_id: record.agentId,
    label: record.label,
    created_at: record.createdAt,
    expires_at: record.expiresAt ?? null,
    deactivated_at: record.deactivatedAt ?? null,
    superseded_by: record.supersededBy ?? null,
  }
}

/** Reads the columns that every kind has. */
export function toCredentialRecord(row: CredentialRow): CredentialRecord {
  return {
    id: row.id,
    agentId: row.agent_id,
    label: row.label,
    createdAt: row.created_at,
    expiresAt: row.expires_at ?? undefined,
    deactivatedAt: row.deactivated_at ?? undefined,
    lastUsedAt: row.last_used_at ?? undefined,
    supersededBy: row.superseded_by ?? undefined,
  }
}

/** The writes that do not depend on the kind. */
export function createCredentialWrites(db: Kysely<Tables>, table: CredentialTable) {
  return {
    /** For the few that were used before they are inserted, as those of another store. */
    async keepLastUse({ id, lastUsedAt }: CredentialRecord): Promise<void> {
      if (lastUsedAt === undefined) return
      await createKyselyCredentialUseStore(db).touch(new Map([[id, lastUsedAt]]))
    },

    /** Ends a credential; one that has ended keeps its time. */
    async deactivate({ id, within }: CredentialAt, now: EpochSeconds): Promise<void> {
      await db
        .updateTable(table)
        .set({ deactivated_at: now })
        .where('id', '=', id)
        .where('deactivated_at', 'is', null)
        .where(credentialWithin(within))
        .execute()
    },

    async supersede(id: string, by: Supersession): Promise<boolean> {
      // The condition stands in the statement: of two rotations at once, one wins.
      const result = await db
        .updateTable(table)
        .set({ superseded_by: by.supersededBy, expires_at: by.expiresAt })
        .where('id', '=', id)
        .where('superseded_by', 'is', null)
        .where('deactivated_at', 'is', null)
        .executeTakeFirstOrThrow()
      return result.numUpdatedRows === 1n
    },
  }
}

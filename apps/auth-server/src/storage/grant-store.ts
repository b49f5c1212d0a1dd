import { AuthorizationDetailsClaim } from '@deputy/auth/protocol'
import { sql, type Insertable, type Kysely, type Selectable, type SqlBool } from 'kysely'
import * as z from 'zod'
import { DroppedScope, type GrantNode } from '../delegation/grant-node.ts'
import type { GrantStore } from '../delegation/grant-store.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { DelegationGrantTable, Tables } from './tables.ts'

type Row = Selectable<DelegationGrantTable>

/** Creates the store on Kysely. */
export function createKyselyGrantStore(db: Kysely<Tables>): GrantStore {
  const selectLive = (now: number, limit: number) =>
    db.selectFrom('delegation_grant').selectAll().where('expires_at', '>', now).limit(limit)

  return {
    async insert(node) {
      await db.insertInto('delegation_grant').values(toGrantRow(node)).execute()
    },

    async find({ id, within }) {
      let query = db.selectFrom('delegation_grant').selectAll().where('id', '=', id)
      if (within !== EVERY_OWNER) query = query.where('owner_id', '=', within)
      const row = await query.executeTakeFirst()
      return row && toNode(row)
    },

    async listTasks({ afterId, agentId, limit, openedBy, within }) {
      let query = db.selectFrom('delegation_grant').selectAll().where('kind', '=', 'task')
      if (within !== EVERY_OWNER) query = query.where('owner_id', '=', within)
      if (afterId !== undefined) query = query.where('id', '>', afterId)
      if (agentId !== undefined) query = query.where('agent_id', '=', agentId)
      if (openedBy !== undefined) query = query.where('opened_by', '=', openedBy)
      const rows = await query.orderBy('id').limit(limit).execute()
      return rows.map(toNode)
    },

    async listStandingOn(id, { limit, now }) {
      const query = selectLive(now, limit).where(hasItem('grant_path', id))
      return (
        await query
          .orderBy(sql`length(grant_path)`)
          .orderBy('id')
          .execute()
      ).map(toNode)
    },

    async listByCredential(credentialId, { limit, now }) {
      const query = selectLive(now, limit).where('credential_id', '=', credentialId)
      return (await query.orderBy('id').execute()).map(toNode)
    },

    async listByAgent(agentId, { limit, now }) {
      const query = selectLive(now, limit).where((eb) =>
        eb.or([
          eb('agent_id', '=', agentId),
          eb('opened_by', '=', agentId),
          eb('subject_id', '=', agentId),
          hasItem('actors', agentId),
        ]),
      )
      return (await query.orderBy('id').execute()).map(toNode)
    },

    async markRevoked({ id, within }, now) {
      let query = db
        .updateTable('delegation_grant')
        .set({ revoked_at: now })
        .where('id', '=', id)
        .where('revoked_at', 'is', null)
      if (within !== EVERY_OWNER) query = query.where('owner_id', '=', within)
      return (await query.executeTakeFirstOrThrow()).numUpdatedRows === 1n
    },

    async prune(before) {
      const { numDeletedRows } = await db
        .deleteFrom('delegation_grant')
        .where('expires_at', '<', before)
        .executeTakeFirstOrThrow()
      return Number(numDeletedRows)
    },
  }
}

/**
 * Whether the text, a JSON list of ids, has one among them. Attack prevented: an id with a wildcard in it,
 * so that ending one thing ends others.
 */
function hasItem(column: 'grant_path' | 'actors', id: string) {
  const item = JSON.stringify(id).replaceAll(/[!%_]/g, '!$&')
  return sql<SqlBool>`${sql.ref(column)} like ${`%${item}%`} escape '!'`
}

/** Writes a row. */
export function toGrantRow(node: GrantNode): Insertable<DelegationGrantTable> {
  return {
    id: node.id,
    kind: node.kind,
    parent_id: node.parentId ?? null,
    grant_path: JSON.stringify(node.grantPath),
    owner_id: node.ownerId,
    subject_id: node.subjectId,
    agent_id: node.agentId,
    actors: JSON.stringify(node.actors),
    audiences: JSON.stringify(node.audiences),
    scopes: JSON.stringify(node.scopes),
    dropped: JSON.stringify(node.dropped),
    limits: JSON.stringify(node.limits),
    max_depth: node.maxDepth,
    credential_id: node.credentialId ?? null,
    opened_by: node.openedBy,
    purpose: node.purpose,
    created_at: node.createdAt,
    expires_at: node.expiresAt,
    revoked_at: node.revokedAt ?? null,
  }
}

const Texts = z.array(z.string())

function toNode(row: Row): GrantNode {
  return {
    id: row.id,
    kind: row.kind,
    parentId: row.parent_id ?? undefined,
    grantPath: Texts.parse(JSON.parse(row.grant_path)),
    ownerId: row.owner_id,
    subjectId: row.subject_id,
    agentId: row.agent_id,
    actors: Texts.parse(JSON.parse(row.actors)),
    audiences: Texts.parse(JSON.parse(row.audiences)),
    scopes: Texts.parse(JSON.parse(row.scopes)),
    dropped: z.array(DroppedScope).parse(JSON.parse(row.dropped)),
    limits: AuthorizationDetailsClaim.parse(JSON.parse(row.limits)),
    maxDepth: row.max_depth,
    credentialId: row.credential_id ?? undefined,
    openedBy: row.opened_by,
    purpose: row.purpose,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at ?? undefined,
  }
}

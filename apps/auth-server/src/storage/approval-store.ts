import { sql, type Insertable, type Kysely, type Selectable } from 'kysely'
import * as z from 'zod'
import { fingerprintCall, type Approval } from '../approvals/approval.ts'
import type { ApprovalAt, ApprovalStore } from '../approvals/approval-store.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { ApprovalTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyApprovalStore(db: Kysely<Tables>): ApprovalStore {
  const selectAt = ({ id, within }: ApprovalAt) => {
    const query = db.selectFrom('approval').selectAll().where('id', '=', id)
    return within === EVERY_OWNER ? query : query.where('owner_id', '=', within)
  }
  const selectPending = (now: number) =>
    db.selectFrom('approval').where('pending_call', 'is not', null).where('expires_at', '>', now)

  return {
    async request(approval) {
      const row = toRow(approval)
      await db
        .selectFrom('agent')
        .select('id')
        .where('id', '=', approval.agentId)
        .forUpdate()
        .execute()
      // What ran out without being decided makes way.
      await db
        .updateTable('approval')
        .set({ pending_call: null })
        .where('pending_call', '=', row.call_fingerprint)
        .where('expires_at', '<=', approval.requestedAt)
        .execute()
      const { numInsertedOrUpdatedRows: inserted } = await db
        .insertInto('approval')
        .values(row)
        .onConflict((conflict) => conflict.column('pending_call').doNothing())
        .executeTakeFirstOrThrow()
      if (inserted === 1n) return { approval, isNew: true }
      const former = await db
        .selectFrom('approval')
        .selectAll()
        .where('pending_call', '=', row.call_fingerprint)
        .executeTakeFirstOrThrow()
      return { approval: toApproval(former), isNew: false }
    },

    async find(at) {
      const row = await selectAt(at).executeTakeFirst()
      return row && toApproval(row)
    },

    async findOpen(fingerprint, now) {
      const row = await db
        .selectFrom('approval')
        .selectAll()
        .where('call_fingerprint', '=', fingerprint)
        .where('expires_at', '>', now)
        .where('token_id', 'is', null)
        .orderBy('requested_at', 'desc')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      return row && toApproval(row)
    },

    async countPending(agentId, now) {
      const { count } = await selectPending(now)
        .select(({ fn }) => fn.countAll().as('count'))
        .where('agent_id', '=', agentId)
        .executeTakeFirstOrThrow()
      return Number(count)
    },

    async list({ afterId, agentId, isPending = false, limit, now, within }) {
      let query = isPending ? selectPending(now) : db.selectFrom('approval')
      if (within !== EVERY_OWNER) query = query.where('owner_id', '=', within)
      if (agentId !== undefined) query = query.where('agent_id', '=', agentId)
      if (afterId !== undefined) query = query.where('id', '>', afterId)
      return (await query.selectAll().orderBy('id').limit(limit).execute()).map(toApproval)
    },

    async decide({ id, within }, { decidedAt, decidedBy, expiresAt, note, state }) {
      let query = db
        .updateTable('approval')
        .set({
          state,
          decided_at: decidedAt,
          decided_by: decidedBy,
          expires_at: expiresAt,
          note: note ?? null,
          pending_call: null,
        })
        .where('id', '=', id)
        .where('state', '=', 'pending')
        .where('expires_at', '>', decidedAt)
      if (within !== EVERY_OWNER) query = query.where('owner_id', '=', within)
      return (await query.executeTakeFirstOrThrow()).numUpdatedRows === 1n
    },

    async markIssued(id, { now, tokenId }) {
      const { numUpdatedRows } = await db
        .updateTable('approval')
        .set((eb) => ({ token_id: eb.fn.coalesce('token_id', eb.val(tokenId)) }))
        .where('id', '=', id)
        .where('state', '=', 'approved')
        .where('expires_at', '>', now)
        .executeTakeFirstOrThrow()
      return numUpdatedRows === 1n
    },

    async endStandingOn(id, now) {
      // As it stands in the list that the column is, so that no id is taken for a part of another.
      const member = JSON.stringify(id).replace(/[\\%_]/g, '\\$&')
      await db
        .updateTable('approval')
        .set({ expires_at: now, pending_call: null })
        .where('expires_at', '>', now)
        .where(sql<boolean>`grant_path like ${`%${member}%`} escape '\\'`)
        .execute()
    },

    async prune(before) {
      const { numDeletedRows } = await db
        .deleteFrom('approval')
        .where('expires_at', '<', before)
        .executeTakeFirstOrThrow()
      return Number(numDeletedRows)
    },
  }
}

function toRow(approval: Approval): Insertable<ApprovalTable> {
  const fingerprint = fingerprintCall(approval)
  return {
    id: approval.id,
    owner_id: approval.ownerId,
    agent_id: approval.agentId,
    subject_id: approval.subjectId,
    actors: JSON.stringify(approval.actors),
    audience: approval.audience,
    scopes: JSON.stringify(approval.scopes),
    procedure: approval.procedure,
    input_sha256: approval.inputSha256,
    input: approval.input === undefined ? null : JSON.stringify(approval.input),
    binding_message: approval.bindingMessage ?? null,
    grant_path: JSON.stringify(approval.grantPath),
    call_fingerprint: fingerprint,
    pending_call: approval.state === 'pending' ? fingerprint : null,
    state: approval.state,
    requested_at: approval.requestedAt,
    expires_at: approval.expiresAt,
    decided_at: approval.decidedAt ?? null,
    decided_by: approval.decidedBy ?? null,
    note: approval.note ?? null,
    token_id: approval.tokenId ?? null,
  }
}

const Texts = z.array(z.string())

function toApproval(row: Selectable<ApprovalTable>): Approval {
  return {
    id: row.id,
    ownerId: row.owner_id,
    agentId: row.agent_id,
    subjectId: row.subject_id,
    actors: Texts.parse(JSON.parse(row.actors)),
    audience: row.audience,
    scopes: Texts.parse(JSON.parse(row.scopes)),
    procedure: row.procedure,
    inputSha256: row.input_sha256,
    input: row.input === null ? undefined : z.json().parse(JSON.parse(row.input)),
    bindingMessage: row.binding_message ?? undefined,
    grantPath: Texts.parse(JSON.parse(row.grant_path)),
    state: row.state,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    decidedAt: row.decided_at ?? undefined,
    decidedBy: row.decided_by ?? undefined,
    note: row.note ?? undefined,
    tokenId: row.token_id ?? undefined,
  }
}

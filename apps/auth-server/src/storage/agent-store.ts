import type { Kysely } from 'kysely'
import type { AgentAt, AgentStore } from '../agents/agent-store.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { toAgent, toAgentColumns, toAgentRow } from './agent-row.ts'
import type { Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyAgentStore(db: Kysely<Tables>): AgentStore {
  async function find({ id, within }: AgentAt) {
    let query = db.selectFrom('agent').selectAll().where('id', '=', id)
    if (within !== EVERY_OWNER) query = query.where('owner_id', '=', within)
    const row = await query.executeTakeFirst()
    return row && toAgent(row)
  }

  return {
    find,

    async insert(agent) {
      const result = await db
        .insertInto('agent')
        .values(toAgentRow(agent))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirstOrThrow()
      return result.numInsertedOrUpdatedRows === 1n
    },

    async list({ afterId, limit, within }) {
      let query = db.selectFrom('agent').selectAll().orderBy('id').limit(limit)
      if (within !== EVERY_OWNER) query = query.where('owner_id', '=', within)
      if (afterId !== undefined) query = query.where('id', '>', afterId)
      return (await query.execute()).map(toAgent)
    },

    // One statement that writes only what is named, so that two changes at once both hold.
    async update(at, changes) {
      const columns = toAgentColumns(changes)
      if (Object.values(columns).every((value) => value === undefined)) return find(at)
      let query = db.updateTable('agent').set(columns).where('id', '=', at.id).returningAll()
      if (at.within !== EVERY_OWNER) query = query.where('owner_id', '=', at.within)
      const row = await query.executeTakeFirst()
      return row && toAgent(row)
    },

    async deactivate(at, now) {
      let query = db
        .updateTable('agent')
        .set({ state: 'inactive', deactivated_at: now })
        .where('id', '=', at.id)
        .where('state', '=', 'active')
      if (at.within !== EVERY_OWNER) query = query.where('owner_id', '=', at.within)
      await query.execute()
      return find(at)
    },
  }
}

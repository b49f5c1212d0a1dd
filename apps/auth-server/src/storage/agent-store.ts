import type { Kysely, Selectable } from 'kysely'
import { Agent, applyChanges, type AgentSettings } from '../agents/agent.ts'
import type { AgentStore } from '../agents/agent-store.ts'
import type { AgentTable, Tables } from './tables.ts'

/** Creates the store on Kysely. */
export function createKyselyAgentStore(db: Kysely<Tables>): AgentStore {
  async function find(id: string): Promise<Agent | undefined> {
    const row = await db.selectFrom('agent').selectAll().where('id', '=', id).executeTakeFirst()
    return row && toAgent(row)
  }

  return {
    find,

    async insert(agent) {
      const result = await db
        .insertInto('agent')
        .values({
          id: agent.id,
          state: agent.state,
          created_at: agent.createdAt,
          deactivated_at: agent.deactivatedAt ?? null,
          ...toColumns(agent),
        })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .executeTakeFirstOrThrow()
      return result.numInsertedOrUpdatedRows === 1n
    },

    async list({ afterId, limit }) {
      const rows = await db
        .selectFrom('agent')
        .selectAll()
        .$if(afterId !== undefined, (query) => query.where('id', '>', afterId ?? ''))
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(toAgent)
    },

    async update(id, changes) {
      return db.transaction().execute(async (transaction) => {
        const agents = createKyselyAgentStore(transaction)
        const agent = await agents.find(id)
        if (agent === undefined) return undefined
        const updated = applyChanges(agent, changes)
        await transaction
          .updateTable('agent')
          .set(toColumns(updated))
          .where('id', '=', id)
          .execute()
        return updated
      })
    },

    async deactivate(id, now) {
      await db
        .updateTable('agent')
        .set({ state: 'inactive', deactivated_at: now })
        .where('id', '=', id)
        .where('state', '=', 'active')
        .execute()
      return find(id)
    },
  }
}

function toColumns(settings: AgentSettings) {
  return {
    name: settings.name,
    description: settings.description,
    scopes: JSON.stringify(settings.scopes),
    audiences: JSON.stringify(settings.audiences),
    scopes_supported: JSON.stringify(settings.scopesSupported),
    access_token_ttl_seconds: settings.accessTokenTtlSeconds,
  }
}

function toAgent(row: Selectable<AgentTable>): Agent {
  return Agent.parse({
    id: row.id,
    name: row.name,
    description: row.description,
    state: row.state,
    scopes: JSON.parse(row.scopes),
    audiences: JSON.parse(row.audiences),
    scopesSupported: JSON.parse(row.scopes_supported),
    accessTokenTtlSeconds: row.access_token_ttl_seconds,
    createdAt: row.created_at,
    deactivatedAt: row.deactivated_at ?? undefined,
  })
}

// Fills a store of the authorization server with agents, through its own storage, in large transactions:
// the rows are those that a million calls of the admin API would have left.
import { open } from 'node:fs/promises'
import { AgentSettings } from '../../../apps/auth-server/src/agents/agent.ts'
import { createClientSecret } from '../../../apps/auth-server/src/clients/create-client-secret.ts'
import { openStorage } from '../../../apps/auth-server/src/storage/open-storage.ts'
import type { Stores } from '../../../apps/auth-server/src/storage/stores.ts'
import { systemClock } from '../../../packages/auth/src/protocol/clock.ts'
import { CLIENT_SCOPES, TARGET_ID, TARGET_SCOPES, TARGET_URL, toClientId } from './scenario.ts'

export type SeedOptions = {
  readonly databaseFile: string
  /** Gets the credentials: a line for each agent, as it stands in a Basic header. */
  readonly credentialsFile: string
  readonly agents: number
  readonly onProgress: (done: number) => void
}

/** Agents of one transaction. */
const BATCH = 20_000

const OWNER_ID = 'bench'

/** Fills the store. The files must be new. */
export async function seedStore(options: SeedOptions): Promise<void> {
  const { agents, credentialsFile, databaseFile, onProgress } = options
  const now = systemClock.now()
  await using storage = await openStorage({ file: databaseFile })
  await using credentials = await open(credentialsFile, 'wx', 0o600)
  const common = { ownerId: OWNER_ID, state: 'active', createdAt: now } as const
  await storage.act(async (stores) => {
    await stores.owners.insert({ id: OWNER_ID, name: 'Bench', createdAt: now })
    const settings = { name: 'Notes', scopesSupported: [...TARGET_SCOPES], url: TARGET_URL }
    await stores.agents.insert({ ...AgentSettings.parse(settings), ...common, id: TARGET_ID })
  })
  const settings = AgentSettings.parse({
    name: 'Client',
    scopes: [...CLIENT_SCOPES],
    audiences: [TARGET_ID],
    // What is measured is the work of issuing: an agent of a tier is refused what it is meant to be.
    rateLimitTier: 'unlimited',
  })

  async function insertOne(stores: Stores, index: number): Promise<string> {
    const id = toClientId(index)
    const { record, secret } = createClientSecret({ agentId: id, now })
    await stores.agents.insert({ ...settings, ...common, id })
    await stores.clientSecrets.insert(record)
    return `${Buffer.from(`${id}:${secret}`).toString('base64')}\n`
  }

  for (let from = 0; from < agents; from += BATCH) {
    const to = Math.min(from + BATCH, agents)
    const lines = await storage.act(async (stores) => {
      const made: string[] = []
      for (let index = from; index < to; index += 1) made.push(await insertOne(stores, index))
      return made
    })
    await credentials.write(lines.join(''))
    onProgress(to)
  }
}

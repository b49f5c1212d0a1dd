// What becomes of a registration that is replaced while an operator decides about the same client, or ended twice at once.
import { createAgentSecret } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { readAll } from '../../test-support/audit.ts'
import { createStorage, makeAgent, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { hashSecret } from '../secret-hash.ts'
import type { Storage } from '../storage/open-storage.ts'
import type { Stores } from '../storage/stores.ts'
import { ClientMetadata } from './client-metadata.ts'
import { createRegistration } from './registration.ts'

const AT = { id: 'agent-mallory', within: EVERY_OWNER } as const

/** Mallory, registered. `between` is done after whatever a replacement looks at before its transaction begins. */
async function setUp(storage: Storage, between: (stores: Stores) => Promise<unknown>) {
  const token = createAgentSecret('registrationAccessToken')
  const agent = makeAgent({ id: AT.id, scopes: ['notes:read', 'notes:write'] })
  await storage.agents.insert(agent)
  await storage.registrations.insert({
    agentId: agent.id,
    tokenHash: hashSecret(token),
    initialAccessTokenId: 'initial-1',
    metadata: ClientMetadata.parse({ scope: 'notes:read notes:write' }),
    createdAt: START_AT,
  })
  const registration = createRegistration({
    storage: {
      ...storage,
      async act(work) {
        await storage.act(between)
        return storage.act(work)
      },
    },
    clock: createSettableClock(),
  })
  const replace = async (metadata: object = {}) =>
    registration.replace({ token, clientId: agent.id }, ClientMetadata.parse(metadata), {})
  const remove = async () => registration.remove({ token, clientId: agent.id }, {})
  return { replace, remove }
}

describe.each(STORAGE_ADAPTERS)('a registration that is replaced on $name', (adapter) => {
  test('has nothing back that an operator takes away in the same moment', async () => {
    // Attack: Mallory sends its registration over and over. When an operator takes a scope from it, and has its tokens
    // bound to a key, the one that is under way writes back what it read before.
    await using storage = await createStorage(adapter)
    const { replace } = await setUp(storage, async (stores) =>
      stores.agents.update(AT, { scopes: ['notes:read'], dpopBoundAccessTokens: true }),
    )

    const asked = replace({ scope: 'notes:read notes:write' })
    await expect(asked).rejects.toMatchObject({ code: 'invalid_client_metadata' })
    await replace()

    expect(await storage.agents.find(AT)).toMatchObject({
      scopes: ['notes:read'],
      dpopBoundAccessTokens: true,
    })
  })

  test('is refused when its client was ended in the same moment', async () => {
    await using storage = await createStorage(adapter)
    const { replace } = await setUp(storage, async (stores) =>
      stores.agents.deactivate(AT, START_AT),
    )

    await expect(replace()).rejects.toMatchObject({ code: 'invalid_token', status: 401 })
    expect(await storage.agents.find(AT)).toMatchObject({ name: 'Alice', state: 'inactive' })
  })
})

test.each(STORAGE_ADAPTERS)(
  'a registration on $name is ended by one of two that end it at once, and has one entry of it',
  async (adapter) => {
    await using storage = await createStorage(adapter)
    const { remove } = await setUp(storage, async () => {})

    const ends = await Promise.allSettled([remove(), remove()])

    expect(ends).toMatchObject([
      { status: 'fulfilled' },
      { status: 'rejected', reason: { code: 'invalid_token', status: 401 } },
    ])
    const events = (await readAll(storage.audit)).map(({ event }) => event)
    expect(events).toEqual(['client.deleted'])
  },
)

// The start of this version on the database of each earlier one, filled: nothing of it is lost, and all that follows
// from it works.
import type { DatabaseLocation } from '@deputy/storage'
import { describe, expect, test } from 'vitest'
import {
  createPostgresDatabase,
  postgresUrl,
} from '../../../../../test/support/postgres-database.ts'
import { createSettableClock } from '../../../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../../../test/support/temporary-folder.ts'
import { readAll } from '../../../test-support/audit.ts'
import { START_AT } from '../../../test-support/clock.ts'
import { RELEASES, writeReleasedDatabase } from '../../../test-support/released-database.ts'
import { openTestKeyRing } from '../../../test-support/signing-keys.ts'
import { verifyChains } from '../../audit/verify-chain.ts'
import { EVERY_OWNER } from '../../owners/tenancy.ts'
import { hashSecret } from '../../secret-hash.ts'
import { openStorage, type Storage } from '../open-storage.ts'

type Place = AsyncDisposable & { readonly location: DatabaseLocation }

const PLACES: readonly { readonly name: string; create(): Promise<Place> }[] = [
  {
    name: 'SQLite',
    async create() {
      const folder = await createTemporaryFolder()
      const dispose = async (): Promise<void> => folder[Symbol.asyncDispose]()
      return { location: { file: folder.file('test.sqlite') }, [Symbol.asyncDispose]: dispose }
    },
  },
  ...(postgresUrl === undefined
    ? []
    : [
        {
          name: 'PostgreSQL',
          async create() {
            const { url, ...database } = await createPostgresDatabase()
            return { location: { url }, ...database }
          },
        },
      ]),
]

/** What later versions added, as this one reads it. */
async function readRest(storage: Storage) {
  const at = (id: string) => ({ id, within: EVERY_OWNER }) as const
  const [initial] = await storage.initialAccessTokens.list(EVERY_OWNER)
  const denial = await storage.revocations.findDenial({ grantIds: ['token-0'], agentIds: [] })
  return {
    owner: await storage.owners.find('acme'),
    clientKey: (await storage.clientKeys.find(at('client-key-1')))?.kid,
    registrations: initial?.registrations,
    registered: (await storage.registrations.findByHash(hashSecret('registration-1')))?.agentId,
    purpose: (await storage.grants.find(at('task-1')))?.purpose,
    approval: (await storage.approvals.find(at('approval-1')))?.state,
    denied: denial?.id,
    tokenIds: (await readAll(storage.audit)).map(({ tokenId }) => tokenId),
  }
}

/** What is there from which version on. */
const since = <Value>(release: string, first: string, value: Value): Value | undefined =>
  release >= first ? value : undefined

describe.each(PLACES)('a database in $name', (adapter) => {
  test.each(RELEASES)(
    'of version %s is brought up to this one with all that is in it',
    async (release) => {
      await using place = await adapter.create()
      await writeReleasedDatabase(place.location, release)

      await using storage = await openStorage(place.location, createSettableClock())

      const at = (id: string) => ({ id, within: EVERY_OWNER }) as const
      const used = { lastUsedAt: START_AT + 5 }
      const known = await storage.clients.findBySecret(hashSecret('secret-1'))
      expect(known).toMatchObject({
        credentialId: 'secret-1',
        agent: {
          id: 'agent-alice',
          ownerId: 'system',
          state: 'active',
          scopes: ['notes:read'],
          scopePolicy: 'exact',
          delegation: { to: [], maxDepth: 0 },
        },
      })
      expect(await storage.clientSecrets.find(at('secret-1'))).toMatchObject(used)
      const unused = await storage.clientSecrets.find(at('unused'))
      expect(unused).toMatchObject({ expiresAt: START_AT + 60, lastUsedAt: undefined, label: '' })
      expect(await storage.apiKeys.find(at('api-key-1'))).toMatchObject({
        label: 'laptop',
        ...used,
      })
      expect(await readRest(storage)).toEqual({
        owner: since(release, '002', { id: 'acme', name: 'Acme', createdAt: START_AT }),
        clientKey: since(release, '006', 'kid-1'),
        registrations: since(release, '007', 1),
        registered: since(release, '007', 'agent-alice'),
        purpose: since(release, '008', 'to pay the rent'),
        approval: since(release, '009', 'pending'),
        denied: since(release, '002', 'token-0'),
        tokenIds: release >= '004' ? ['token-0'] : [],
      })
    },
  )

  test.each(RELEASES)('of version %s is gone on with', async (release) => {
    await using place = await adapter.create()
    await writeReleasedDatabase(place.location, release)
    const clock = createSettableClock()
    await using storage = await openStorage(place.location, clock)

    const ring = await openTestKeyRing({ store: storage.signingKeys, clock })
    const before = await storage.versionedClients.version()
    await storage.act(async ({ agents, clientSecrets, revocations }, note) => {
      await agents.update({ id: 'agent-alice', within: EVERY_OWNER }, { name: 'Alicia' })
      await clientSecrets.deactivate({ id: 'unused', within: EVERY_OWNER }, START_AT)
      const denial = { kind: 'grant', id: 'secret-1', expiresAt: START_AT + 900 } as const
      await revocations.insert(denial, START_AT)
      note({ event: 'agent.updated', outcome: 'success', ownerId: 'system' })
    })

    expect(ring.signer().kid).toBe('key-1')
    expect(ring.publicKeys().keys).toHaveLength(2)
    // What a server remembers of agents and secrets is void with each of their changes.
    expect(await storage.versionedClients.changesSince(before)).toEqual({
      version: before + 2,
      agentIds: ['agent-alice'],
    })
    const entries = await storage.revocations.listAfter(0, 10)
    expect(entries.map(({ id, seq }) => [seq, id])).toEqual(
      release >= '002'
        ? [
            [1, 'token-0'],
            [2, 'secret-1'],
          ]
        : [[1, 'secret-1']],
    )
    expect(await verifyChains(storage.audit)).toMatchObject({ ok: true })
  })
})

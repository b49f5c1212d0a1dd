import { SIGNATURE_ALGORITHMS, type SignatureAlgorithm } from '@deputy/auth/protocol'
import { importJWK, jwtVerify } from 'jose'
import { describe, expect, test } from 'vitest'
import { makeAuditEvent, readAll } from '../../test-support/audit.ts'
import { START_AT } from '../../test-support/clock.ts'
import { TEST_SEALER } from '../../test-support/signing-keys.ts'
import {
  createStorage,
  makeAgent,
  makeClientSecret,
  STORAGE_ADAPTERS,
} from '../../test-support/storage-adapters.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { verifyChains } from '../audit/verify-chain.ts'
import type { GrantNode } from '../delegation/grant-node.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { createNodeSigner } from '../keys/node-signer.ts'
import { createSigningKey } from '../keys/create-signing-key.ts'
import type { Issue } from '../tokens/issue-log.ts'
import { createJwtEncoder, toSignedJwt } from '../tokens/jwt-encoder.ts'
import { openStorage, type Storage } from './open-storage.ts'
import type { Stores } from './stores.ts'

const encode = createJwtEncoder('at+jwt')

async function createKey(algorithm: SignatureAlgorithm) {
  const key = await createSigningKey({ algorithm, sealer: TEST_SEALER, now: START_AT })
  const privateJwk: Record<string, unknown> = JSON.parse(
    TEST_SEALER.open(key.kid, key.sealedPrivateKey),
  )
  return {
    signer: createNodeSigner({ ...key, privateJwk }),
    publicKey: await importJWK(key.publicJwk, algorithm),
  }
}

function raise(): never {
  throw new Error('there is no such key')
}

const AT_ALICE = { id: 'agent-alice', within: EVERY_OWNER } as const
const AT_SECRET = { id: 'secret-1', within: EVERY_OWNER } as const

async function enrollAlice(storage: Storage): Promise<void> {
  await storage.act(async ({ agents, clientSecrets }) => {
    await agents.insert(makeAgent())
    await clientSecrets.insert(makeClientSecret())
  })
}

function makeIssue(tokenId: string, members: Partial<Issue> = {}): Issue {
  return { event: makeAuditEvent({ tokenId }), basis: undefined, ...members }
}

/** A token of Alice's that Bob acts with. */
function makeNode(id: string): GrantNode {
  return {
    id,
    kind: 'token',
    parentId: 'token-0',
    grantPath: ['secret-1', 'token-0', id],
    ownerId: 'system',
    subjectId: 'agent-alice',
    agentId: 'agent-bob',
    actors: ['agent-bob'],
    audiences: ['agent-carol'],
    scopes: ['notes:read'],
    dropped: [],
    limits: [],
    maxDepth: 1,
    credentialId: 'secret-2',
    openedBy: 'agent-bob',
    purpose: '',
    createdAt: START_AT,
    expiresAt: START_AT + 300,
    revokedAt: undefined,
  }
}

const tokenIds = async ({ audit }: Storage) =>
  (await readAll(audit)).map(({ tokenId }) => tokenId).filter((id) => id !== undefined)

/** What makes a decision outdated, and what does not. */
const CHANGES: readonly {
  readonly what: string
  readonly isChange: boolean
  act(stores: Stores): Promise<unknown>
}[] = [
  {
    what: 'an agent was deactivated',
    isChange: true,
    act: async ({ agents }) => agents.deactivate(AT_ALICE, START_AT),
  },
  {
    what: 'the settings of an agent were changed',
    isChange: true,
    act: async ({ agents }) => agents.update(AT_ALICE, { scopes: [] }),
  },
  {
    what: 'a secret was deactivated',
    isChange: true,
    act: async ({ clientSecrets }) => clientSecrets.deactivate(AT_SECRET, START_AT),
  },
  {
    what: 'a secret was rotated, which ends it early',
    isChange: true,
    act: async ({ clientSecrets }) =>
      clientSecrets.supersede('secret-1', { supersededBy: 'secret-2', expiresAt: START_AT + 1 }),
  },
  {
    what: 'an agent and a secret were made',
    isChange: false,
    act: async ({ agents, clientSecrets }) => {
      await agents.insert(makeAgent({ id: 'agent-bob' }))
      await clientSecrets.insert(makeClientSecret({ id: 'secret-2', agentId: 'agent-bob' }))
    },
  },
  {
    what: 'a last use was noted',
    isChange: false,
    act: async ({ lastUses }) => lastUses.touch(new Map([['secret-1', START_AT]])),
  },
]

describe.each(STORAGE_ADAPTERS)('IssueLog on $name', (adapter) => {
  test('has the entry and the node on disk when it answers', async () => {
    await using place = await adapter.createPlace()
    await using storage = await place.open(createSettableClock())
    await using other = await place.open()

    const outcome = await storage.issues.write(makeIssue('token-1', { node: makeNode('token-1') }))

    expect(outcome).toBe('written')
    expect(await readAll(other.audit)).toMatchObject([
      { ...makeAuditEvent(), tokenId: 'token-1', at: START_AT, seq: 2 },
    ])
    const at = { id: 'token-1', within: EVERY_OWNER } as const
    expect(await other.grants.find(at)).toEqual(makeNode('token-1'))
  })

  // The attack: a secret that was ended at one instance or process goes on at another, which remembers it.
  test.each(CHANGES)('says whether a decision is outdated when $what elsewhere', async (change) => {
    await using place = await adapter.createPlace()
    await using storage = await place.open()
    await using elsewhere = await place.open()
    await enrollAlice(storage)
    const basis = await storage.versionedClients.version()
    await elsewhere.act(async (stores) => change.act(stores))

    const outcome = await storage.issues.write(makeIssue('token-1', { basis }))

    expect(outcome).toBe(change.isChange ? 'outdated' : 'written')
    expect(await tokenIds(storage)).toEqual(change.isChange ? [] : ['token-1'])
  })

  test('writes what rests on the present, beside what does not', async () => {
    await using storage = await createStorage(adapter)
    await enrollAlice(storage)
    const old = await storage.versionedClients.version()
    await storage.act(async ({ agents }) => agents.update(AT_ALICE, { name: 'Alicia' }))
    const basis = await storage.versionedClients.version()

    const outcomes = await Promise.all([
      storage.issues.write(makeIssue('token-1', { basis: old })),
      storage.issues.write(makeIssue('token-2', { basis })),
      storage.issues.write(makeIssue('token-3')),
    ])

    expect(outcomes).toEqual(['outdated', 'written', 'written'])
    expect(await tokenIds(storage)).toEqual(['token-2', 'token-3'])
  })

  // The attack: a dead chain extended in the moment in which it dies.
  test.each([
    { kind: 'grant', id: 'secret-1' },
    { kind: 'grant', id: 'token-0' },
    // What Bob got it with, which is not in its path: stolen, and used in the moment in which it is ended.
    { kind: 'grant', id: 'secret-2' },
    { kind: 'agent', id: 'agent-alice' },
    { kind: 'agent', id: 'agent-bob' },
  ] as const)('writes no token that stands on the $kind $id that was revoked', async (denied) => {
    await using place = await adapter.createPlace()
    await using storage = await place.open()
    await using elsewhere = await place.open()
    const denial = { ...denied, expiresAt: START_AT + 900 }
    await elsewhere.act(async ({ revocations }) => revocations.insert(denial, START_AT))

    const outcome = await storage.issues.write(makeIssue('token-1', { node: makeNode('token-1') }))

    expect(outcome).toBe('revoked')
    expect(await tokenIds(storage)).toEqual([])
    expect(await storage.grants.find({ id: 'token-1', within: EVERY_OWNER })).toBeUndefined()
  })

  test('keeps apart what is revoked by the one name and by the other', async () => {
    await using storage = await createStorage(adapter)
    const denial = { kind: 'grant', id: 'agent-alice', expiresAt: START_AT + 900 } as const
    await storage.act(async ({ revocations }) => revocations.insert(denial, START_AT))

    const outcome = await storage.issues.write(makeIssue('token-1', { node: makeNode('token-1') }))

    expect(outcome).toBe('written')
  })

  test('loses and doubles nothing among acts and other entries, and all chains verify', async () => {
    await using storage = await createStorage(adapter)
    const wanted = Array.from({ length: 300 }, (_none, place) => `token-${String(place)}`)
    let appended = 0
    const stop = storage.audit.onAppend(() => (appended += 1))

    await Promise.all(
      wanted.map(async (id, place) => {
        if (place % 10 === 0) await storage.audit.record(makeAuditEvent({ tokenId: id }))
        else if (place % 10 === 1) {
          await storage.act(async (_stores, note) => note(makeAuditEvent({ tokenId: id })))
        } else await storage.issues.write(makeIssue(id))
      }),
    )

    stop()
    expect((await tokenIds(storage)).toSorted()).toEqual(wanted.toSorted())
    expect(appended).toBeGreaterThan(0)
    const heads = storage.audit.ownHeads()
    expect(await verifyChains(storage.audit, { checkpoints: heads })).toMatchObject({ ok: true })
    const onDisk = await verifyChains(storage.audit)
    const found = onDisk.ok ? onDisk.value.heads : []
    expect(found.toSorted(byWriter)).toEqual(heads.toSorted(byWriter))
  })

  test('signs what it wrote, each with its own key, and nothing else', async () => {
    await using storage = await createStorage(adapter)
    await enrollAlice(storage)
    const keys = await Promise.all(
      SIGNATURE_ALGORITHMS.map(async (algorithm) => createKey(algorithm)),
    )
    const wanted = Array.from({ length: 60 }, (_none, place) => ({
      tokenId: `token-${String(place)}`,
      // Every fifth rests on what is outdated.
      basis: place % 5 === 0 ? -1 : undefined,
      key: keys[Math.floor(place / 7) % keys.length] ?? raise(),
    }))

    const seen = await Promise.all(
      wanted.map(async ({ basis, key, tokenId }) => {
        const jwt = encode(key.signer, { jti: tokenId })
        const signature = await storage.issues.sign(makeIssue(tokenId, { basis }), jwt)
        if (typeof signature === 'string') return signature
        return (await jwtVerify(toSignedJwt(jwt, signature), key.publicKey)).payload.jti
      }),
    )

    const isOld = ({ basis }: { readonly basis: number | undefined }) => basis !== undefined
    expect(seen).toEqual(wanted.map((one) => (isOld(one) ? 'outdated' : one.tokenId)))
    const written = wanted.filter((one) => !isOld(one))
    expect((await tokenIds(storage)).toSorted()).toEqual(
      written.map(({ tokenId }) => tokenId).toSorted(),
    )
  })

  // The attack: a dead chain extended in the moment in which it dies.
  test('signs nothing that stands on what was revoked', async () => {
    await using storage = await createStorage(adapter)
    const { signer } = await createKey('ES256')
    const denial = { kind: 'grant', id: 'token-0', expiresAt: START_AT + 900 } as const
    await storage.act(async ({ revocations }) => revocations.insert(denial, START_AT))

    const issue = makeIssue('token-1', { node: makeNode('token-1') })
    const signed = await storage.issues.sign(issue, encode(signer, {}))

    expect(signed).toBe('revoked')
  })

  test('writes no secret, whatever an event quotes', async () => {
    await using storage = await createStorage(adapter)
    const secret = `cs-agent-${'x'.repeat(49)}`

    await storage.issues.write({
      event: makeAuditEvent({ scope: `notes:read ${secret}` }),
      basis: undefined,
    })

    expect(await readAll(storage.audit)).toMatchObject([{ scope: 'notes:read [redacted]' }])
  })

  test('writes when secrets were last used, alone and beside tokens, and no act counts it', async () => {
    await using storage = await createStorage(adapter)
    await enrollAlice(storage)
    const basis = await storage.versionedClients.version()

    await storage.issues.touch(new Map([['secret-1', START_AT + 1]]))
    const first = await storage.clientSecrets.find(AT_SECRET)
    const [outcome] = await Promise.all([
      storage.issues.write(makeIssue('token-1', { basis })),
      storage.issues.touch(new Map([['secret-1', START_AT + 2]])),
    ])
    const second = await storage.clientSecrets.find(AT_SECRET)

    expect(outcome).toBe('written')
    expect([first?.lastUsedAt, second?.lastUsedAt]).toEqual([START_AT + 1, START_AT + 2])
    expect(await verifyChains(storage.audit)).toMatchObject({ ok: true })
  })

  test('keeps the latest use of each credential, of thousands that come at once', async () => {
    await using storage = await createStorage(adapter)
    await enrollAlice(storage)
    const ids = Array.from({ length: 2500 }, (_none, place) => `secret-${String(place)}`)

    await storage.issues.touch(new Map([['secret-1', START_AT + 9]]))
    await storage.issues.touch(new Map(ids.map((id, place) => [id, START_AT + (place % 3)])))

    expect(await storage.clientSecrets.find(AT_SECRET)).toMatchObject({ lastUsedAt: START_AT + 9 })
    await storage.clientSecrets.insert(makeClientSecret({ id: 'secret-2000' }))
    const other = { id: 'secret-2000', within: EVERY_OWNER } as const
    expect(await storage.clientSecrets.find(other)).toMatchObject({ lastUsedAt: START_AT + 2 })
  })

  test('has on disk exactly what it answered, also of what was under way when a commit failed', async () => {
    await using storage = await createStorage(adapter)
    await storage.issues.write(makeIssue('token-0', { node: makeNode('token-0') }))
    const wanted = Array.from({ length: 200 }, (_none, place) => `token-${String(place)}`)

    // The first, and it alone, is there already.
    const seen = await Promise.allSettled(
      wanted.map(async (id, place) =>
        storage.issues.write(makeIssue(id, place === 0 ? { node: makeNode(id) } : {})),
      ),
    )

    const answered = wanted.filter((_id, place) => seen[place]?.status === 'fulfilled')
    const rejected = seen.filter(({ status }) => status === 'rejected')
    expect(rejected.length).toBeGreaterThan(0)
    expect(await tokenIds(storage)).toEqual(['token-0', ...answered])
    expect(await verifyChains(storage.audit)).toMatchObject({ ok: true })
    expect(await storage.issues.write(makeIssue('token-200'))).toBe('written')
  })

  test('goes on after a commit that failed, and the trail verifies', async () => {
    await using storage = await createStorage(adapter)
    const twice = makeIssue('token-1', { node: makeNode('token-1') })
    await storage.issues.write(twice)

    await expect(storage.issues.write(twice)).rejects.toThrow(/unique|primary/i)

    expect(await storage.issues.write(makeIssue('token-2'))).toBe('written')
    expect(await tokenIds(storage)).toEqual(['token-1', 'token-2'])
    expect(await verifyChains(storage.audit)).toMatchObject({ ok: true })
  })
})

const byWriter = (a: { writerId: string }, b: { writerId: string }): number =>
  a.writerId < b.writerId ? -1 : 1

test('a log in memory, where no thread can write, does the same', async () => {
  await using storage = await openStorage({ file: ':memory:' })

  expect(await storage.issues.write(makeIssue('token-1'))).toBe('written')
  expect(await storage.issues.write(makeIssue('token-2', { basis: 0 }))).toBe('outdated')

  expect(await tokenIds(storage)).toEqual(['token-1'])
})

import { describe, expect, test } from 'vitest'
import { START_AT } from '../../test-support/clock.ts'
import { createStorage, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import type { GrantNode } from '../delegation/grant-node.ts'
import type { GrantAt } from '../delegation/grant-store.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'

/** A token of Alice's for Bob, unless said otherwise. */
function node(id: string, changes: Partial<GrantNode> = {}): GrantNode {
  return {
    id,
    kind: 'token',
    parentId: undefined,
    grantPath: ['secret-1', id],
    ownerId: 'system',
    subjectId: 'agent-alice',
    agentId: 'agent-alice',
    actors: [],
    audiences: ['agent-bob'],
    scopes: ['notes:read'],
    dropped: [{ scope: 'notes:write', rule: 'not_requested' }],
    limits: [{ type: 'budget', currency: 'USD', amount: '5.00', identifier: id }],
    maxDepth: 3,
    credentialId: 'secret-1',
    openedBy: 'agent-alice',
    purpose: '',
    createdAt: START_AT,
    expiresAt: START_AT + 900,
    revokedAt: undefined,
    ...changes,
  }
}

const task = (id: string, changes: Partial<GrantNode> = {}): GrantNode =>
  node(id, { kind: 'task', grantPath: [id], credentialId: undefined, ...changes })

const LIVE = { now: START_AT, limit: 100 }
const ids = (nodes: readonly GrantNode[]): readonly string[] => nodes.map(({ id }) => id)

describe.each(STORAGE_ADAPTERS)('grants in $name', (adapter) => {
  test('come back as they were put in', async () => {
    await using storage = await createStorage(adapter)
    const { grants } = storage
    const whole = node('token-1', { parentId: 'task-1', actors: ['agent-bob', 'agent-carol'] })
    await grants.insert(whole)

    expect(await grants.find({ id: 'token-1', within: EVERY_OWNER })).toEqual(whole)
    expect(await grants.find({ id: 'token-2', within: EVERY_OWNER })).toBeUndefined()
  })

  test('are not there for another owner', async () => {
    await using storage = await createStorage(adapter)
    const { grants } = storage
    await grants.insert(task('task-1'))

    expect(await grants.find({ id: 'task-1', within: 'somebody' })).toBeUndefined()
    expect(await grants.listTasks({ within: 'somebody', limit: 10 })).toEqual([])
    expect(await grants.markRevoked({ id: 'task-1', within: 'somebody' }, START_AT)).toBe(false)
    expect(await grants.find({ id: 'task-1', within: 'system' })).toMatchObject({ id: 'task-1' })
  })

  test('are not inserted twice', async () => {
    await using storage = await createStorage(adapter)
    await storage.grants.insert(node('token-1'))

    await expect(storage.grants.insert(node('token-1'))).rejects.toThrow(/unique/i)
  })

  test('of the kind task are listed by pages, by agent and by who opened them', async () => {
    await using storage = await createStorage(adapter)
    const { grants } = storage
    await grants.insert(task('task-1'))
    await grants.insert(task('task-2', { agentId: 'agent-bob', openedBy: 'operator' }))
    await grants.insert(task('task-3'))
    await grants.insert(node('token-1'))
    const list = async (request: object) =>
      ids(await grants.listTasks({ within: EVERY_OWNER, limit: 10, ...request }))

    expect(await list({})).toEqual(['task-1', 'task-2', 'task-3'])
    expect(await list({ limit: 1, afterId: 'task-1' })).toEqual(['task-2'])
    expect(await list({ agentId: 'agent-bob' })).toEqual(['task-2'])
    expect(await list({ openedBy: 'agent-alice' })).toEqual(['task-1', 'task-3'])
  })

  test('stand on every id of their path, parents before children, until they expire', async () => {
    await using storage = await createStorage(adapter)
    const { grants } = storage
    await grants.insert(node('b-below', { grantPath: ['secret-1', 'task-1', 'c-top', 'b-below'] }))
    await grants.insert(node('c-top', { grantPath: ['secret-1', 'task-1', 'c-top'] }))
    await grants.insert(task('task-1', { expiresAt: START_AT + 600 }))
    await grants.insert(node('a-beside', { grantPath: ['secret-1', 'task-2', 'a-beside'] }))
    const standing = async (id: string, now = START_AT) =>
      ids(await grants.listStandingOn(id, { ...LIVE, now }))

    expect(await standing('task-1')).toEqual(['task-1', 'c-top', 'b-below'])
    expect(await standing('c-top')).toEqual(['c-top', 'b-below'])
    expect(await standing('task-1', START_AT + 599)).toHaveLength(3)
    expect(await standing('task-1', START_AT + 600)).toEqual(['c-top', 'b-below'])
    expect(await standing('task-1', START_AT + 900)).toEqual([])
  })

  test('are found by what their ids are, and not by what they look like', async () => {
    // Attack: an id that is a pattern, so that ending one thing ends others.
    await using storage = await createStorage(adapter)
    const { grants } = storage
    await grants.insert(task('task-1', { agentId: 'agent-bob', openedBy: 'operator' }))
    await grants.insert(node('token-1', { actors: ['agent-bob'] }))

    expect(await grants.listStandingOn('task%', LIVE)).toEqual([])
    expect(await grants.listStandingOn('token_1', LIVE)).toEqual([])
    expect(await grants.listStandingOn('oken-1', LIVE)).toEqual([])
    expect(await grants.listByAgent('agent_bob', LIVE)).toEqual([])
    expect(await grants.listByAgent('%', LIVE)).toEqual([])
    expect(await grants.listByAgent('agent-bo', LIVE)).toEqual([])
  })

  test('are listed by the credential that they were obtained with, and by who is part of them', async () => {
    await using storage = await createStorage(adapter)
    const { grants } = storage
    await grants.insert(node('own'))
    await grants.insert(
      node('acted', {
        agentId: 'agent-carol',
        actors: ['agent-carol', 'agent-bob'],
        credentialId: 'secret-2',
      }),
    )
    await grants.insert(task('opened', { agentId: 'agent-dan', openedBy: 'agent-bob' }))
    const by = async (agentId: string) => ids(await grants.listByAgent(agentId, LIVE))

    expect(ids(await grants.listByCredential('secret-2', LIVE))).toEqual(['acted'])
    expect(await by('agent-bob')).toEqual(['acted', 'opened'])
    expect(await by('agent-carol')).toEqual(['acted'])
    expect(await by('agent-alice')).toEqual(['acted', 'opened', 'own'])
    expect(ids(await grants.listByAgent('agent-alice', { ...LIVE, limit: 2 }))).toHaveLength(2)
  })

  test('are revoked once, however many try at the same time', async () => {
    await using storage = await createStorage(adapter)
    const at: GrantAt = { id: 'task-1', within: EVERY_OWNER }
    await storage.grants.insert(task('task-1'))

    const outcomes = await Promise.all(
      Array.from({ length: 10 }, async (_, turn) =>
        storage.grants.markRevoked(at, START_AT + turn),
      ),
    )

    expect(outcomes.filter(Boolean)).toHaveLength(1)
    expect((await storage.grants.find(at))?.revokedAt).toBe(START_AT + outcomes.indexOf(true))
  })

  test('are forgotten from the second on in which they expired', async () => {
    await using storage = await createStorage(adapter)
    const { grants } = storage
    await grants.insert(node('token-1'))

    expect(await grants.prune(START_AT + 900)).toBe(0)
    expect(await grants.prune(START_AT + 901)).toBe(1)
    expect(await grants.find({ id: 'token-1', within: EVERY_OWNER })).toBeUndefined()
  })
})

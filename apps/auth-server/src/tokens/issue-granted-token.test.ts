// What becomes of a token whose approval, or what it stands on, ends between the look at it and the moment in which the token is
// written.
import { describe, expect, test } from 'vitest'
import { readAll } from '../../test-support/audit.ts'
import { START_AT } from '../../test-support/clock.ts'
import { openTestKeyRing } from '../../test-support/signing-keys.ts'
import { createStorage, makeAgent, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import type { Approval } from '../approvals/approval.ts'
import type { GrantNode } from '../delegation/grant-node.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { Storage } from '../storage/open-storage.ts'
import { createIssueGrantedToken } from './issue-granted-token.ts'
import { createPrepareAccessToken } from './prepare-access-token.ts'

const AT_APPROVAL = { id: 'approval-1', within: EVERY_OWNER } as const

const APPROVAL: Approval = {
  id: AT_APPROVAL.id,
  ownerId: 'system',
  agentId: 'agent-alice',
  subjectId: 'agent-alice',
  actors: [],
  audience: 'agent-bob',
  scopes: ['bob:pay'],
  procedure: 'pay',
  inputSha256: 'A'.repeat(43),
  grantPath: ['secret-1'],
  state: 'pending',
  requestedAt: START_AT,
  expiresAt: START_AT + 900,
}

/** An approved call of Alice's, looked at already. `issue` is what follows. */
async function createIssuing(storage: Storage) {
  const clock = createSettableClock()
  await storage.approvals.request(APPROVAL)
  await storage.approvals.decide(AT_APPROVAL, {
    state: 'approved',
    decidedAt: START_AT,
    decidedBy: 'operator',
    expiresAt: START_AT + 900,
    note: undefined,
  })
  const keyRing = await openTestKeyRing({ store: storage.signingKeys, clock })
  const issuer = 'https://auth.example'
  const prepareAccessToken = createPrepareAccessToken({ issuer, keyRing, clock })
  const issueToken = createIssueGrantedToken({ prepareAccessToken, storage, clock })
  const issue = async () =>
    issueToken({
      grant: {
        audience: makeAgent({ id: 'agent-bob' }),
        scopes: ['bob:pay'],
        authorizationDetails: undefined,
        tokenId: 'token-1',
        grantPath: ['secret-1', 'token-1'],
        approvalId: APPROVAL.id,
      },
      client: { agent: makeAgent(), credentialId: 'secret-1' },
      confirmation: undefined,
      basis: undefined,
      context: {},
    })
  return { clock, issue }
}

const readTokens = async ({ audit }: Storage) =>
  (await readAll(audit)).flatMap(({ tokenId }) => tokenId ?? [])

describe.each(STORAGE_ADAPTERS)('a token for an approved call, on $name', (adapter) => {
  test('is on the trail, and on the approval, when it is answered', async () => {
    await using storage = await createStorage(adapter)
    const { issue } = await createIssuing(storage)

    expect((await issue())?.access_token).toBeTypeOf('string')

    expect(await readTokens(storage)).toEqual(['token-1'])
    expect(await storage.approvals.find(AT_APPROVAL)).toMatchObject({ tokenId: 'token-1' })
  })

  // Attack: a task is stopped while the token for its last call is on its way, and the call is made all the same.
  test('is refused where what was approved was ended a moment before', async () => {
    await using storage = await createStorage(adapter)
    const { issue } = await createIssuing(storage)
    await storage.approvals.endStandingOn('secret-1', START_AT)

    await expect(issue()).rejects.toMatchObject({ code: 'expired_token' })

    expect(await readTokens(storage)).toEqual([])
  })

  test('is refused where its time was over a moment before', async () => {
    await using storage = await createStorage(adapter)
    const { clock, issue } = await createIssuing(storage)
    clock.advance(900)

    await expect(issue()).rejects.toMatchObject({ code: 'expired_token' })

    expect(await readTokens(storage)).toEqual([])
  })
})

describe.each(STORAGE_ADAPTERS)('a token below a task grant, on $name', (adapter) => {
  test('is refused, and no fault of the server, where the task was over a moment before', async () => {
    await using storage = await createStorage(adapter)
    const clock = createSettableClock()
    const keyRing = await openTestKeyRing({ store: storage.signingKeys, clock })
    const issuer = 'https://auth.example'
    const prepareAccessToken = createPrepareAccessToken({ issuer, keyRing, clock })
    const issueToken = createIssueGrantedToken({ prepareAccessToken, storage, clock })
    const node: GrantNode = {
      id: 'token-1',
      kind: 'token',
      parentId: 'task-1',
      grantPath: ['secret-1', 'task-1', 'token-1'],
      ownerId: 'system',
      subjectId: 'agent-alice',
      agentId: 'agent-alice',
      actors: [],
      audiences: ['agent-bob'],
      scopes: ['bob:pay'],
      dropped: [],
      limits: [],
      maxDepth: 1,
      openedBy: 'agent-alice',
      purpose: '',
      createdAt: START_AT,
      expiresAt: START_AT + 1,
    }
    clock.advance(1)

    const issued = issueToken({
      grant: {
        audience: makeAgent({ id: 'agent-bob' }),
        scopes: ['bob:pay'],
        authorizationDetails: undefined,
        tokenId: node.id,
        grantPath: node.grantPath,
        derived: {
          node,
          subject: 'agent-alice',
          act: undefined,
          expiresAt: node.expiresAt,
          issuedTokenType: undefined,
        },
      },
      client: { agent: makeAgent(), credentialId: 'secret-1' },
      confirmation: undefined,
      basis: undefined,
      context: {},
    })

    await expect(issued).rejects.toMatchObject({ code: 'invalid_request', reason: 'chain_expired' })
    expect(await readTokens(storage)).toEqual([])
  })
})

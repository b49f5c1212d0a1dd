import { describe, expect, test } from 'vitest'
import {
  ALICE,
  BOB,
  budgetOf,
  callBelow,
  callBy,
  createBillingWorld,
  USD,
} from '../../test-support/billing-world.ts'
import { HOLD_TTL_SECONDS } from '../holds/place-hold.ts'
import { findHeld } from './find-held.ts'
import { MAX_RELEASED_HOLDS } from './release-grant.ts'

const TASK = 'task-1'
const BELOW = callBelow(['credential-1', TASK, 'token-1'], budgetOf(TASK, '5.00'))
const OTHER = callBelow(['credential-1', 'task-2', 'token-2'])
const AUDITOR = {
  ...callBy('operator'),
  principal: { ...callBy('operator').principal, scopes: ['billing:audit'] },
}
const input = (identifier: string) => ({ identifier, currency: USD })

async function createWorld() {
  const world = await createBillingWorld()
  await world.deposit(ALICE, 100_000)
  return world
}

const release = async (world: Awaited<ReturnType<typeof createWorld>>, grantId: string) =>
  world.service.releaseGrant(AUDITOR, { grantId, idempotencyKey: world.key() })

describe('billing.budget', () => {
  // Attack: an auditor of another organisation guesses, or is told, the id of a grant, and asks what it may spend.
  test('says nothing of the cap of a grant to an auditor of another organisation', async () => {
    await using world = await createWorld()
    await world.holdBy(BELOW)
    const mallory = { ...AUDITOR, principal: { ...AUDITOR.principal, ownerId: 'mallory' } }

    expect(await world.service.budget(mallory, input(TASK))).toEqual({
      ...input(TASK),
      capMinor: undefined,
      heldMinor: 0,
      capturedMinor: 0,
      openHolds: [],
    })
    expect(await world.service.budget(AUDITOR, input(TASK))).toMatchObject({ capMinor: 500 })
  })

  test('tells what is held and captured below a grant of the own path', async () => {
    await using world = await createWorld()
    const first = await world.holdBy(BELOW)
    const second = await world.holdBy(BELOW, 4, 'job-2')
    await world.holdBy(OTHER)
    await world.service.capture(BELOW, {
      holdId: first.holdId,
      amountMinor: 15,
      idempotencyKey: world.key(),
    })

    expect(await world.service.budget(BELOW, input(TASK))).toEqual({
      identifier: TASK,
      currency: USD,
      capMinor: 500,
      heldMinor: 30,
      capturedMinor: 15,
      openHolds: [
        {
          holdId: second.holdId,
          account: ALICE,
          reference: 'job-2',
          amount: { amountMinor: 30, currency: USD },
          expiresAt: second.expiresAt,
        },
      ],
    })
  })

  test('is the same for a grant without a budget, like a credential', async () => {
    await using world = await createWorld()
    await world.holdBy(BELOW)
    await world.holdBy(OTHER)

    const report = await world.service.budget(BELOW, input('credential-1'))

    expect(report).toMatchObject({ heldMinor: 40, capturedMinor: 0 })
    expect(report.capMinor).toBeUndefined()
    expect(report.openHolds).toHaveLength(2)
  })

  test('counts a hold that expired no more, and still lists it until it is released', async () => {
    await using world = await createWorld()
    await world.holdBy(BELOW)

    world.clock.advance(HOLD_TTL_SECONDS - 1)
    const before = await world.service.budget(BELOW, input(TASK))
    world.clock.advance(1)
    const at = await world.service.budget(BELOW, input(TASK))

    expect([before.heldMinor, at.heldMinor, at.openHolds.length]).toEqual([20, 0, 1])
  })

  test.each([TASK, 'no-such-grant'])(
    'refuses %s, of another path, in the same words whether it is there or not',
    async (identifier) => {
      // Attack: feeling out which grants there are, and what others hold.
      await using world = await createWorld()
      await world.holdBy(BELOW)

      await expect(world.service.budget(OTHER, input(identifier))).rejects.toMatchObject({
        refusal: { reason: 'scope_missing', requiredScopes: ['billing:audit'] },
      })
    },
  )

  test('tells an auditor of any grant, and of all accounts', async () => {
    await using world = await createWorld()
    await world.holdBy(BELOW)

    const report = await world.service.budget(AUDITOR, input(TASK))

    expect(report).toMatchObject({ heldMinor: 20, openHolds: [{ account: ALICE }] })
  })

  test('shows nobody the holds of another account', async () => {
    await using world = await createWorld()
    await world.holdBy(BELOW)
    const bob = { ...BELOW, principal: { ...BELOW.principal, agentId: BOB, subject: BOB } }

    expect((await world.service.budget(bob, input(TASK))).openHolds).toEqual([])
  })
})

describe('billing.releaseGrant', () => {
  test('gives back all that is open below the grant, and nothing else', async () => {
    await using world = await createWorld()
    const captured = await world.holdBy(BELOW)
    const open = await world.holdBy(BELOW, 4)
    const other = await world.holdBy(OTHER)
    await world.service.capture(BELOW, {
      holdId: captured.holdId,
      amountMinor: 20,
      idempotencyKey: world.key(),
    })

    const answer = await release(world, TASK)

    expect(answer).toMatchObject({
      grantId: TASK,
      released: [{ holdId: open.holdId, account: ALICE }],
      isComplete: true,
    })
    expect(await world.balance(ALICE)).toMatchObject({
      heldMinor: other.amount.amountMinor,
      availableMinor: 100_000 - 20 - other.amount.amountMinor,
    })
    expect(await world.service.budget(BELOW, input(TASK))).toMatchObject({
      heldMinor: 0,
      capturedMinor: 20,
      openHolds: [],
    })
    expect(await world.verify()).toEqual([])
  })

  test('ends the hold for its owner, who can capture it no more', async () => {
    await using world = await createWorld()
    const { holdId } = await world.holdBy(BELOW)
    await release(world, 'token-1')

    const capture = world.service.capture(BELOW, {
      holdId,
      amountMinor: 1,
      idempotencyKey: world.key(),
    })

    await expect(capture).rejects.toMatchObject({ reason: 'hold_released', code: 'CONFLICT' })
  })

  test('that is repeated with its key answers the same again', async () => {
    await using world = await createWorld()
    await world.holdBy(BELOW)
    const again = { grantId: TASK, idempotencyKey: world.key() }

    const first = await world.service.releaseGrant(AUDITOR, again)
    await world.holdBy(BELOW)

    expect(await world.service.releaseGrant(AUDITOR, again)).toEqual(first)
    expect(await world.balance(ALICE)).toMatchObject({ heldMinor: 20 })
  })

  test('takes a bounded number at once, and says whether any is left', async () => {
    await using world = await createWorld()
    for (let at = 0; at <= MAX_RELEASED_HOLDS; at += 1) {
      await world.holdBy(callBelow([TASK]), 1)
    }

    const first = await release(world, TASK)
    const second = await release(world, TASK)

    expect([first.released.length, first.isComplete]).toEqual([MAX_RELEASED_HOLDS, false])
    expect([second.released.length, second.isComplete]).toEqual([1, true])
    expect(await world.balance(ALICE)).toMatchObject({ heldMinor: 0 })
  })
})

describe('what a revocation would reach', () => {
  const find = async (world: Awaited<ReturnType<typeof createWorld>>, ...ids: string[]) =>
    findHeld({ storage: world.storage, clock: world.clock }, ids)

  test('is what is held below any of the grants, each hold once, in the major unit', async () => {
    await using world = await createWorld()
    const { amount } = await world.holdBy(BELOW)
    await world.holdBy(OTHER)

    const held = [{ currency: USD, amount: (amount.amountMinor / 100).toFixed(2) }]
    expect(await find(world, TASK)).toEqual(held)
    expect(await find(world, TASK, 'token-1')).toEqual(held)
    expect(await find(world, 'task-9')).toEqual([])
    expect(await find(world)).toEqual([])
  })

  test('counts nothing that was released or has expired', async () => {
    await using world = await createWorld()
    await world.holdBy(BELOW)
    await release(world, TASK)
    expect(await find(world, TASK)).toEqual([])
    await world.holdBy(BELOW, 4, 'job-2')
    expect(await find(world, TASK)).toHaveLength(1)

    world.clock.advance(HOLD_TTL_SECONDS)

    expect(await find(world, TASK)).toEqual([])
  })
})

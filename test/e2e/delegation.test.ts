// Work that is handed on: a task grant for research, a narrower token for billing, and billing acting for
// whoever called it; and one act that ends all of it.
import { toClientError } from '@deputy/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ALICE, BILLING, RESEARCH, startWorld, type World } from '../support/world.ts'

const QUESTION = 'How are signing keys rotated?'
let world: World

beforeAll(async () => {
  world = await startWorld()
  await callBilling(['billing:deposit']).billing.deposit.mutate({
    account: RESEARCH,
    amount: { amountMinor: 1000, currency: 'USD' },
    idempotencyKey: 'opening-deposit',
  })
})
afterAll(async () => world[Symbol.asyncDispose]())

const callBilling = (scopes: string[]) => world.alice.client(world.billing, { scopes })

const openTask = async (amount: string) =>
  world.taskGrant(world.research, {
    purpose: QUESTION,
    scopes: ['billing:read', 'billing:write'],
    audiences: [world.research, world.billing],
    ttlSeconds: 600,
    limits: [{ type: 'budget', currency: 'USD', amount }],
  })

const ask = async (taskGrant: string) =>
  world.alice
    .client(world.research, { scopes: ['research:write'] })
    .research.answer.mutate({ question: QUESTION, taskGrant })

describe('research under a task grant', () => {
  test('pays within its budget, with a token for billing that has no more than the hold needs', async () => {
    const task = await openTask('5.00')

    const brief = await ask(task.id)

    const { below } = await world.admin.taskGrants.get.query({ grantId: task.id })
    const shown = below.map(({ agentId, audiences, dropped, scopes }) => ({
      agentId,
      audiences,
      scopes,
      dropped,
    }))
    const notRequested = { scope: 'billing:read', rule: 'not_requested' }
    expect(shown).toEqual([
      {
        agentId: RESEARCH,
        audiences: [RESEARCH],
        scopes: ['billing:write'],
        dropped: [notRequested],
      },
      { agentId: RESEARCH, audiences: [BILLING], scopes: ['billing:write'], dropped: [] },
    ])
    const billing = callBilling(['billing:audit', 'billing:read'])
    expect(await billing.billing.budget.query({ identifier: task.id })).toMatchObject({
      capMinor: 500,
      heldMinor: 0,
      capturedMinor: brief.cost.amountMinor,
    })
  })

  test('is refused more than the budget, and says so', async () => {
    const task = await openTask('0.05')

    const refused = await ask(task.id).catch(toClientError)

    expect(refused).toMatchObject({ code: 'billing_refused' })
    expect(toClientError(refused).message).toContain('budget')
  })

  test('can do nothing under one that was revoked, and holds no money', async () => {
    const task = await openTask('5.00')
    await ask(task.id)
    await world.revoke(task)

    const refused = await ask(task.id).catch(toClientError)

    expect(refused).toMatchObject({ code: 'billing_unavailable' })
    const billing = callBilling(['billing:audit', 'billing:read'])
    expect(await billing.billing.budget.query({ identifier: task.id })).toMatchObject({
      heldMinor: 0,
      openHolds: [],
    })
  })

  test('can’t use one that was opened for another agent', async () => {
    const task = await world.taskGrant(world.alice, {
      purpose: 'not for research',
      scopes: ['billing:write'],
      audiences: [world.billing],
    })

    expect(await ask(task.id).catch(toClientError)).toMatchObject({ code: 'billing_unavailable' })
  })
})

test('billing acts for its caller, with one scope of those that it was handed', async () => {
  await ask((await openTask('5.00')).id)
  const billing = callBilling(['billing:close', 'research:read'])

  const statement = await billing.billing.closeStatement.mutate({
    account: RESEARCH,
    idempotencyKey: 'close-for-alice',
  })

  expect(statement.calls[0]).toMatchObject({
    from: BILLING,
    to: RESEARCH,
    subject: ALICE,
    scopes: ['research:read'],
    outcome: 'ok',
  })
  const [exchange] = await world.audit({ event: 'token.exchanged', subjectId: ALICE })
  expect(exchange).toMatchObject({ actorId: BILLING })
})

// The main job, both ways and over both transports: alice asks research, research pays at billing,
// billing asks research for evidence.
import { toClientError } from '@deputy/client'
import type { Caller } from '@deputy/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BILLING, BOB, RESEARCH, startWorld, type World } from '../support/world.ts'

let world: World

beforeAll(async () => {
  world = await startWorld()
  await callBilling(world.alice, 'http').billing.deposit.mutate({
    account: RESEARCH,
    amount: { amountMinor: 1000, currency: 'USD' },
    idempotencyKey: 'opening-deposit',
  })
})
// It rejects when a token or a secret is in anything that was logged.
afterAll(async () => world[Symbol.asyncDispose]())

type Transport = 'http' | 'websocket'

const callBilling = (caller: Caller, transport: Transport) =>
  caller.client(world.billing, { transport })
const callResearch = (caller: Caller, transport: Transport) =>
  caller.client(world.research, { transport })

describe.each(['http', 'websocket'] as const)('over %s', (transport) => {
  test('research answers with citations and pays billing for exactly what it delivered', async () => {
    const research = callResearch(world.alice, transport)
    const own = callBilling(world.research, transport)
    const before = await own.billing.balance.query()

    const brief = await research.research.answer.mutate({
      question: 'How are signing keys rotated?',
    })

    const after = await own.billing.balance.query()
    expect(brief.sentences[0]).toEqual({
      text: 'Rotating the signing keys loses no call, because old keys stay published for a while.',
      citation: { file: 'keys.md', startLine: 7, endLine: 7 },
    })
    expect(brief.cost.amountMinor).toBe(10 + 5 * brief.sentences.length)
    expect(before.availableMinor - after.availableMinor).toBe(brief.cost.amountMinor)
    expect(after.heldMinor).toBe(0)
    expect(
      brief.calls.map(({ from, to, procedure, outcome }) => [from, to, procedure, outcome]),
    ).toEqual([
      [RESEARCH, BILLING, 'billing.quote', 'ok'],
      [RESEARCH, BILLING, 'billing.hold', 'ok'],
      [RESEARCH, BILLING, 'billing.capture', 'ok'],
    ])
  })

  test('billing asks research for a receipt before it closes a statement', async () => {
    const research = callResearch(world.alice, transport)
    const billing = callBilling(world.alice, transport)
    const brief = await research.research.answer.mutate({
      question: 'When do access tokens expire?',
    })

    const statement = await billing.billing.closeStatement.mutate({
      account: RESEARCH,
      idempotencyKey: `close-${transport}`,
    })

    const line = statement.lines.find(({ reference }) => reference === brief.jobId)
    expect(line).toMatchObject({
      holdId: brief.holdId,
      amountMinor: brief.cost.amountMinor,
      evidence: { sentences: brief.sentences.length },
    })
    expect(statement.calls).toContainEqual(
      expect.objectContaining({
        from: BILLING,
        to: RESEARCH,
        procedure: 'research.receipt',
        outcome: 'ok',
      }),
    )
    expect(statement.totalMinor).toBe(
      statement.lines.reduce((total, { amountMinor }) => total + amountMinor, 0),
    )
  })

  test('a caller sees its own conversations and nobody else’s', async () => {
    const alice = callResearch(world.alice, transport)
    const billing = callResearch(world.billing, transport)

    const { conversations } = await alice.conversations.list.query({ limit: 100 })
    const refused = billing.conversations.list.query()

    expect(conversations.length).toBeGreaterThan(0)
    expect(conversations.every(({ state }) => state === 'completed')).toBe(true)
    await expect(refused).rejects.toThrow('Missing required scope: conversations:read')
  })

  test('a call beyond the scopes is refused with what is missing and what was granted', async () => {
    const bob = callBilling(world.bob, transport)

    const error = await bob.billing.deposit
      .mutate({
        account: BOB,
        amount: { amountMinor: 1, currency: 'USD' },
        idempotencyKey: 'bob-deposit',
      })
      .catch(toClientError)

    expect(error).toMatchObject({
      code: 'scope_missing',
      status: 403,
      message: 'Missing required scope: billing:deposit',
      requiredScopes: ['billing:deposit'],
      grantedScopes: ['billing:read'],
    })
  })
})

test('a token renewed while it is in use interrupts nothing, on either transport', async () => {
  const http = callBilling(world.bob, 'http')
  const webSocket = callBilling(world.bob, 'websocket')
  await http.billing.balance.query()
  await webSocket.billing.balance.query()

  await world.advance(20 * 60)
  const balances = await Promise.all([
    ...Array.from({ length: 5 }, async () => http.billing.balance.query()),
    ...Array.from({ length: 5 }, async () => webSocket.billing.balance.query()),
  ])

  expect(balances).toHaveLength(10)
})

test('the ledger balances after all of it', async () => {
  const billing = callBilling(world.alice, 'http')

  const ledger = await billing.billing.trialBalance.query()

  expect(ledger.totalMinor).toBe(0)
  expect(ledger.accounts.length).toBeGreaterThanOrEqual(4)
})

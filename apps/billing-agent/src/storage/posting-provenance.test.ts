// Every movement says who caused it: read back from the file, as an auditor would.
import { openDatabase } from '@deputy/storage'
import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { ALICE, callOnBehalf, createBillingWorld, USD } from '../../test-support/billing-world.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

test('every posting says which agent called, for whom, by which credential, what and when', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('billing.sqlite')
  const world = await createBillingWorld({ file: file })
  const start = world.clock.now()
  const call = { ...callOnBehalf('agent-broker-v1', ALICE), traceId: TRACE }
  await world.deposit(ALICE, 100)
  for (const end of ['capture', 'release'] as const) {
    world.clock.advance(1)
    const quote = { service: 'research.brief', units: 2, idempotencyKey: world.key() } as const
    const { quoteId } = await world.service.quote(call, quote)
    const work = { quoteId, reference: 'job', idempotencyKey: world.key() }
    const { holdId } = await world.service.hold(call, work)
    world.clock.advance(1)
    const input = { holdId, amountMinor: 15, idempotencyKey: world.key() }
    await world.service[end](call, input)
  }
  await world[Symbol.asyncDispose]()

  await using database = await openDatabase<Tables>({ file, migrations })
  const postings = await database.db
    .selectFrom('posting')
    .selectAll()
    .orderBy('created_at')
    .orderBy('procedure')
    .execute()
  const entries = await database.db
    .selectFrom('entry')
    .innerJoin('posting', 'posting.id', 'entry.posting_id')
    .select(['account', 'amount_minor', 'currency'])
    .where('procedure', '=', 'billing.capture')
    .orderBy('entry.id')
    .execute()

  const broker = {
    agent_id: 'agent-broker-v1',
    subject: ALICE,
    credential_id: 'token-of-agent-broker-v1',
    owner_id: 'system',
    grant_id: 'token-of-agent-broker-v1',
    token_sha256: hash('sha256', 'token-of-agent-broker-v1'),
    trace_id: TRACE,
  }
  expect(
    postings.map(({ hold_id: _hold, id: _id, refers_to: _refersTo, ...posting }) => posting),
  ).toEqual([
    {
      agent_id: 'operator',
      subject: 'operator',
      credential_id: 'token-of-operator',
      owner_id: 'system',
      grant_id: 'token-of-operator',
      token_sha256: hash('sha256', 'token-of-operator'),
      trace_id: null,
      procedure: 'billing.deposit',
      created_at: start,
    },
    { ...broker, procedure: 'billing.hold', created_at: start + 1 },
    { ...broker, procedure: 'billing.capture', created_at: start + 2 },
    { ...broker, procedure: 'billing.hold', created_at: start + 3 },
    { ...broker, procedure: 'billing.release', created_at: start + 4 },
  ])
  expect(entries).toEqual([
    { account: `agent:${ALICE}:held`, amount_minor: -20, currency: USD },
    { account: 'income:research.brief', amount_minor: 15, currency: USD },
    { account: `agent:${ALICE}:available`, amount_minor: 5, currency: USD },
  ])
})

test('a quote, and a call that was refused or repeated, moves nothing', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('billing.sqlite')
  const world = await createBillingWorld({ file: file })
  const deposit = {
    account: ALICE,
    amount: { amountMinor: 1, currency: USD },
    idempotencyKey: 'the-one-key',
  }
  const operator = callOnBehalf('operator', 'operator')
  await Promise.all(
    Array.from({ length: 20 }, async () => world.service.deposit(operator, deposit)),
  )
  await expect(world.hold(ALICE)).rejects.toThrow('20 minor units of USD are needed')
  await world[Symbol.asyncDispose]()

  await using database = await openDatabase<Tables>({ file, migrations })

  const counts = await Promise.all(
    (['posting', 'entry', 'hold', 'quote'] as const).map(async (table) => {
      const rows = await database.db.selectFrom(table).select('id').execute()
      return [table, rows.length]
    }),
  )
  expect(Object.fromEntries(counts)).toEqual({ posting: 1, entry: 2, hold: 0, quote: 1 })
})

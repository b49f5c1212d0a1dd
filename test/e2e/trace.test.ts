// One trace from whoever asks to the ledger: the postings of a job, and the spans of both agents, are found by the trace that
// the asker began.
import { createAgentClient } from '@deputy/client'
import type { TestAgent } from '@deputy/testing'
import type { AnyTRPCRouter } from '@trpc/server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordSpans } from '../support/recorded-spans.ts'
import { RESEARCH, startWorld, type World } from '../support/world.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const OTHER_TRACE_ID = 'ffffffffffffffffffffffffffffffff'

let world: World

beforeAll(async () => {
  world = await startWorld()
  await world.alice.client(world.billing).billing.deposit.mutate({
    account: RESEARCH,
    amount: { amountMinor: 1000, currency: 'USD' },
    idempotencyKey: 'opening-deposit',
  })
})
afterAll(async () => world[Symbol.asyncDispose]())

/** Alice's client, each of whose calls is in this trace. */
function open<Router extends AnyTRPCRouter>(agent: TestAgent<Router>, traceId: string) {
  const { alice } = world
  return createAgentClient<Router>({
    url: agent.url,
    audience: agent.id,
    scopes: [],
    credentials: alice.credentials(),
    fetch: alice.fetch,
    clock: alice.clock,
    getTraceContext: () => ({ traceparent: `00-${traceId}-${SPAN_ID}-00` }),
  })
}

/** Asks, and has the evidence for it fetched, each in a trace of its own. */
async function askAndClose(question: string, idempotencyKey: string) {
  const { alice, billing, research } = world
  await using asker = open(research, TRACE_ID)
  await using closer = open(billing, OTHER_TRACE_ID)
  const brief = await asker.research.answer.mutate({ question, idempotencyKey })
  await closer.billing.closeStatement.mutate({ account: RESEARCH, idempotencyKey })
  const { journal } = await alice.client(billing).billing.exportJournal.query()
  return { brief, journal }
}

test('the postings of a job are in the trace of whoever asked, without any SDK', async () => {
  const { brief, journal } = await askAndClose('How are signing keys rotated?', 'without-an-sdk')

  const traces = journal
    .split('\n\n')
    .filter((posting) => posting.includes(`hold:${brief.holdId}`))
    .map((posting) => /trace:(\w+)/.exec(posting)?.[1])
  expect(traces).toEqual([TRACE_ID, TRACE_ID])
})

test('the spans of the job and of what billing did for it hang on each other, in that trace', async () => {
  using spans = recordSpans()

  await askAndClose('When do access tokens expire?', 'with-an-sdk')

  const nameOf = (spanId: string | undefined) =>
    spans.ended.find((span) => span.spanId === spanId)?.name ?? spanId
  const found = spans.ended
    .filter(({ name }) => /billing/.test(name) && !/Journal/.test(name))
    .map(({ attributes, name, parentSpanId, traceId }) => [
      traceId,
      nameOf(parentSpanId),
      name,
      attributes['billing.outcome'],
    ])
  expect(found).toEqual([
    [TRACE_ID, 'research.billing', 'billing.quote', 'ok'],
    [TRACE_ID, SPAN_ID, 'research.billing', undefined],
    [TRACE_ID, 'research.billing', 'billing.hold', 'ok'],
    [TRACE_ID, SPAN_ID, 'research.billing', undefined],
    [TRACE_ID, 'research.billing', 'billing.capture', 'ok'],
    [TRACE_ID, SPAN_ID, 'research.billing', undefined],
    [OTHER_TRACE_ID, SPAN_ID, 'billing.closeStatement', 'ok'],
  ])
  expect(new Set(spans.ended.map(({ name }) => name))).toContain('research.verify')
})

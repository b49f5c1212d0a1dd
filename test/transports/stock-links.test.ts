// tRPC's own links, as anybody has them, against a Deputy agent.
import {
  createTRPCClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  TRPCClientError,
  type TRPCLink,
} from '@trpc/client'
import { describe, expect, test } from 'vitest'
import { bearer } from '../support/call-trpc.ts'
import { startTestAgent, type TestRouter } from '../support/test-agent.ts'

type Options = { readonly url: string; readonly headers: Record<string, string> }

const LINKS: readonly (readonly [string, (options: Options) => TRPCLink<TestRouter>])[] = [
  ['httpLink', (options) => httpLink(options)],
  ['httpLink by POST', (options) => httpLink({ ...options, methodOverride: 'POST' })],
  ['httpBatchLink', (options) => httpBatchLink(options)],
  ['httpBatchLink by POST', (options) => httpBatchLink({ ...options, methodOverride: 'POST' })],
  ['httpBatchStreamLink', (options) => httpBatchStreamLink(options)],
]

describe.each(LINKS)('%s', (_, createLink) => {
  async function connect() {
    const agent = await startTestAgent()
    const headers = bearer(await agent.token({ scope: 'billing:read billing:write' }))
    const links = [createLink({ url: `${agent.url}/trpc`, headers })]
    return { agent, client: createTRPCClient<TestRouter>({ links }) }
  }

  test('gets answers to queries and mutations', async () => {
    const { agent, client } = await connect()
    await using _ = agent

    const [who, text, paid] = await Promise.all([
      client.whoAmI.query(),
      client.echo.query({ text: 'größer ☃' }),
      client.pay.mutate({ amountMinor: 12 }),
    ])

    expect([who.agentId, text, paid]).toEqual(['agent-alice-v1', 'größer ☃', { paidMinor: 12 }])
  })

  test('tells each call of a batch how it ended', async () => {
    const { agent, client } = await connect()
    await using _ = agent

    const ended = await Promise.allSettled([
      client.whoAmI.query(),
      client.echo.query({ text: '' }),
      client.refuse.query(),
      client.pay.mutate({ amountMinor: 5000 }),
    ])

    expect(ended.map(readReason)).toEqual([
      'fulfilled',
      'input_invalid',
      'account_closed',
      'scope_missing',
    ])
  })
})

function readReason(settled: PromiseSettledResult<unknown>): unknown {
  if (settled.status === 'fulfilled') return 'fulfilled'
  const { reason } = settled
  return reason instanceof TRPCClientError ? reason.data.reason : reason
}

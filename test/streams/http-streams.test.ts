// Subscriptions over SSE and answers in parts over HTTP: their end, their resumption and their limit.
import { createTRPCClient, httpBatchStreamLink } from '@trpc/client'
import { expect, test } from 'vitest'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { startTestAgent, type TestAgent, type TestRouter } from '../support/test-agent.ts'

async function subscribe(agent: TestAgent, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${agent.url}/trpc/${path}`, {
    headers: { ...bearer(await agent.token()), accept: 'text/event-stream', ...headers },
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const read = async (): Promise<boolean> => {
    const chunk = await reader?.read()
    text += chunk?.value ?? ''
    return chunk?.done === false
  }
  return {
    async until(part: string): Promise<void> {
      while (!text.includes(part)) if (!(await read())) throw new Error(`ended: ${text}`)
    },
    async rest(): Promise<string> {
      while (await read());
      return text
    },
    cancel: async () => reader?.cancel(),
  }
}

test('a stream ends with the reason in the moment in which its token does', async () => {
  await using agent = await startTestAgent()
  const stream = await subscribe(agent, 'ticks')
  agent.ticker.tickTo(1)
  await stream.until('id: 1')

  agent.clock.advance(900)

  const text = await stream.rest()
  expect(text).toContain('serialized-error')
  expect(text).toContain('"reason":"token_expired"')
})

test('a stream goes on after the last event that the client has seen', async () => {
  await using agent = await startTestAgent()
  agent.ticker.tickTo(4)

  const stream = await subscribe(agent, 'ticks', { 'last-event-id': '3' })
  await stream.until('id: 4')
  agent.clock.advance(900)

  const text = await stream.rest()
  expect(text.match(/^id: \d+$/gm)).toEqual(['id: 4'])
})

test('a drain ends streams at once, with a reason after which clients come back', async () => {
  await using agent = await startTestAgent()
  const stream = await subscribe(agent, 'ticks')
  await stream.until('connected')

  await agent.close()

  expect(await stream.rest()).toContain('"reason":"agent_draining"')
})

test('streams beyond the limit of an agent are refused, and one that ends makes room', async () => {
  await using agent = await startTestAgent({ limits: { maxStreamsPerAgent: 1 } })
  const first = await subscribe(agent, 'ticks')
  await first.until('connected')

  const second = await subscribe(agent, 'ticks')
  const refused = await second.rest()
  await first.cancel()
  const healthy = await callTrpc(agent.url, 'whoAmI', { headers: bearer(await agent.token()) })

  expect(refused).toContain('"reason":"too_many_streams"')
  expect(healthy.status).toBe(200)
})

test('an answer in parts ends with the reason where it was, in that moment', async () => {
  await using agent = await startTestAgent()
  const client = createTRPCClient<TestRouter>({
    links: [
      httpBatchStreamLink({ url: `${agent.url}/trpc`, headers: bearer(await agent.token()) }),
    ],
  })
  const { later, now } = await client.parts.query()
  const outcome = later.catch((error: unknown) => error)

  agent.clock.advance(900)

  expect(now).toBe('here')
  expect(await outcome).toMatchObject({ data: { reason: 'token_expired' } })
})

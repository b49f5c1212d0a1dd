import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { createTRPCClient, httpBatchStreamLink } from '@trpc/client'
import { observable } from '@trpc/server/observable'
import { expect, test } from 'vitest'
import { bearer, callTrpc } from '../support/call-trpc.ts'
import { openWebSocket } from '../support/raw-socket.ts'
import { startTestAgent } from '../support/test-agent.ts'

const observed = () =>
  observable<number>((observer) => {
    observer.next(1)
  })

function createRouter(ended: string[] = []) {
  const read = scopedProcedure('billing:read')
  return agentRouter({
    lines: read.query(() => ({
      [Symbol.asyncIterator]: () => ({
        next: async () => ({ done: false, value: 'line' }) as const,
        async return() {
          ended.push('lines')
          return { done: true, value: undefined } as const
        },
      }),
    })),
    observed: read.subscription(observed),
    observedInParts: read.query(observed),
    whoAmI: read.query(({ ctx }) => ctx.principal.agentId),
  })
}
type Router = ReturnType<typeof createRouter>

test('a stream that a plain call is answered with is refused, let go of, and takes no place', async () => {
  // Attack: each of them was counted as an open stream of its caller until the token ended, and a key never does.
  const ended: string[] = []
  await using agent = await startTestAgent({
    router: createRouter(ended),
    limits: { maxStreamsPerAgent: 1 },
  })
  const headers = bearer(await agent.token())

  const answers = [
    await callTrpc(agent.url, 'lines', { headers }),
    await callTrpc(agent.url, 'lines', { headers }),
  ]

  expect(answers.map((answer) => answer.error())).toMatchObject(
    answers.map(() => ({ data: { reason: 'unsupported_media_type', httpStatus: 415 } })),
  )
  expect(ended).toEqual(['lines', 'lines'])
})

test('a stream that a call over WebSocket is answered with is refused, and not answered as nothing', async () => {
  const ended: string[] = []
  await using agent = await startTestAgent({ router: createRouter(ended) })
  const url = `ws://127.0.0.1:${String(agent.port)}/trpc`
  await using connection = await openWebSocket(url, bearer(await agent.token()))

  connection.send({ id: 1, method: 'query', params: { path: 'lines' } })

  expect(await connection.message(0)).toMatchObject({
    id: 1,
    error: { data: { reason: 'unsupported_media_type', path: 'lines' } },
  })
  expect(ended).toEqual(['lines'])
})

test('a subscription that answers with an observable is refused: nothing would end it with its token', async () => {
  // Attack: a stream that is none to the guard goes on after its token has expired, was revoked, or the agent drains.
  await using agent = await startTestAgent({ router: createRouter() })
  const headers = { ...bearer(await agent.token()), accept: 'text/event-stream' }

  const { text } = await callTrpc(agent.url, 'observed', { headers })

  expect(text).toContain('"reason":"internal_error"')
  expect(text).not.toContain('data: 1')
  expect(agent.logText()).toContain('observed must answer with an async iterable')
})

test('so is an observable where an answer in parts is taken', async () => {
  await using agent = await startTestAgent({ router: createRouter() })
  const headers = bearer(await agent.token())
  const client = createTRPCClient<Router>({
    links: [httpBatchStreamLink({ url: `${agent.url}/trpc`, headers })],
  })

  const [refused, healthy] = await Promise.allSettled([
    client.observedInParts.query(),
    client.whoAmI.query(),
  ])

  expect(refused).toMatchObject({ reason: { data: { reason: 'internal_error' } } })
  expect(healthy).toMatchObject({ value: 'agent-alice-v1' })
})

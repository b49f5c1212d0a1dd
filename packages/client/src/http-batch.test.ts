import { createTRPCClient } from '@trpc/client'
import { describe, expect, test } from 'vitest'
import type { TestRouter } from '../../../test/support/test-agent.ts'
import { startTestAgent, TEST_AGENT } from '../../../test/support/test-agent.ts'
import { Authorization } from './authorization.ts'
import { toClientError } from './error/to-client-error.ts'
import type { FetchLike, FetchLikeAnswer, FetchLikeInit } from './fetch-like.ts'
import { createBatchLink } from './http-batch.ts'
import type { HttpRequest } from './http-request.ts'
import { createAgentClient } from './index.ts'

const answerWith = (body: unknown, status = 200): FetchLikeAnswer => ({
  ok: status < 300,
  status,
  headers: new Headers(),
  json: async () => {
    if (body === undefined) throw new SyntaxError('Unexpected end of JSON input')
    return body
  },
})

/** Answers every call with its place in its batch. */
const places = ({ url }: HttpRequest): FetchLikeAnswer => {
  const paths = new URL(url).pathname.split(',')
  return answerWith(paths.map((_, at) => ({ result: { data: at } })))
}

function createHarness(
  answer: (request: HttpRequest) => FetchLikeAnswer | Promise<FetchLikeAnswer> = places,
) {
  const requests: HttpRequest[] = []
  const link = createBatchLink<TestRouter>('https://billing.example/trpc', async (request) => {
    requests.push(request)
    return answer(request)
  })
  const client = createTRPCClient<TestRouter>({ links: [() => link] })
  return { client, requests }
}

const echo = async (client: ReturnType<typeof createHarness>['client'], text: string) =>
  client.echo.query({ text }).catch(toClientError)

describe('calls of the same moment', () => {
  test('share a request, queries by GET and mutations by POST', async () => {
    const { client, requests } = createHarness()

    const answers = await Promise.all([
      client.echo.query({ text: 'a&b="c"' }),
      client.pay.mutate({ amountMinor: 1 }),
      client.whoAmI.query(),
      client.hold.mutate(),
    ])

    expect(answers).toEqual([0, 0, 1, 1])
    const [queries, mutations] = requests
    expect(requests).toHaveLength(2)
    expect(queries?.method).toBe('GET')
    const url = new URL(queries?.url ?? '')
    expect(url.pathname).toBe('/trpc/echo,whoAmI')
    expect(url.searchParams.get('batch')).toBe('1')
    expect(JSON.parse(url.searchParams.get('input') ?? '')).toEqual({ 0: { text: 'a&b="c"' } })
    expect(mutations).toMatchObject({
      method: 'POST',
      url: 'https://billing.example/trpc/pay,hold?batch=1',
      body: '{"0":{"amountMinor":1}}',
    })
    expect(mutations?.headers['content-type']).toBe('application/json')
  })

  test('are a hundred to a request at most', async () => {
    const { client, requests } = createHarness()

    await Promise.all(Array.from({ length: 250 }, async () => client.whoAmI.query()))

    const sizes = requests.map(({ url }) => new URL(url).pathname.split(',').length)
    expect(sizes).toEqual([100, 100, 50])
  })

  test('have no URL that is too long', async () => {
    const { client, requests } = createHarness()

    await Promise.all(Array.from({ length: 20 }, async () => echo(client, 'x'.repeat(1000))))

    expect(Math.max(...requests.map(({ url }) => url.length))).toBeLessThanOrEqual(8000)
    expect(requests.length).toBeLessThanOrEqual(4)
  })

  test('have no body that an agent refuses as a whole', async () => {
    // Mebibytes of inputs, each of which an agent takes by itself. One in UTF-8 takes three bytes a character.
    const { client, requests } = createHarness()
    const note = async (text: string) => client.note.mutate({ text })

    await Promise.all([
      ...Array.from({ length: 80 }, async () => note('€'.repeat(20_000))),
      note('x'.repeat(600_000)),
    ])

    const sizes = requests.map(({ body }) => Buffer.byteLength(body ?? ''))
    expect(Math.max(...sizes)).toBeLessThan(1024 * 1024)
    expect(requests).toHaveLength(8)
  })

  test('of which one cannot be written as JSON fail by themselves', async () => {
    const { client } = createHarness()
    const loop: Record<string, unknown> = { text: 'a' }
    loop['self'] = loop

    const answers = await Promise.all([
      echo(client, 'a'),
      client.echo.query(loop as { text: string }).catch(toClientError),
    ])

    expect(answers).toEqual([0, expect.objectContaining({ name: 'ClientError' })])
  })

  test('that are given up one after the other end their request with the last', async () => {
    const reached = Promise.withResolvers<FetchLikeInit>()
    const authorization = new Authorization({})
    const client = createAgentClient<TestRouter>({
      url: 'https://billing.example',
      audience: TEST_AGENT,
      credentials: () => ({ authorize: async () => authorization, renew: () => false }),
      fetch: async (_url, init) => {
        reached.resolve(init)
        return new Promise(() => undefined)
      },
    })
    const [one, two] = [new AbortController(), new AbortController()]
    const calls = [one, two].map(async ({ signal }) =>
      client.whoAmI.query(undefined, { signal }).catch(toClientError),
    )
    const { signal } = await reached.promise

    one.abort()
    const afterOne = signal?.aborted
    two.abort()

    expect(await Promise.all(calls)).toMatchObject([
      { code: 'call_aborted' },
      { code: 'call_aborted' },
    ])
    expect([afterOne, signal?.aborted]).toEqual([false, true])
  })
})

test('a query whose input is too long for a URL goes by POST', async () => {
  await using agent = await startTestAgent()
  const sent: FetchLikeInit[] = []
  const fetchWith: FetchLike = async (url, init) => {
    sent.push(init)
    return fetch(url, init)
  }
  const token = await agent.token()
  const client = createAgentClient<TestRouter>({
    url: agent.url,
    audience: TEST_AGENT,
    credentials: () => ({
      authorize: async () => new Authorization({ authorization: `Bearer ${token}` }),
      renew: () => false,
    }),
    fetch: fetchWith,
  })
  const text = 'ä'.repeat(10_000)

  expect(await client.echo.query({ text })).toBe(text)
  expect(sent.map(({ method }) => method)).toEqual(['POST'])
})

describe('an answer', () => {
  const said = async (body: unknown, status?: number) =>
    echo(createHarness(() => answerWith(body, status)).client, 'a')

  test('for all of a batch is the answer to each', async () => {
    const { client } = createHarness(() =>
      answerWith(
        { error: { code: -32_001, message: 'no', data: { reason: 'token_expired' } } },
        401,
      ),
    )

    const answers = await Promise.all([echo(client, 'a'), echo(client, 'b')])

    expect(answers).toMatchObject([{ code: 'token_expired' }, { code: 'token_expired' }])
  })

  test.each([
    ['nothing', undefined],
    ['a list that is too short', []],
    ['other JSON', { hello: 'world' }],
    ['null', null],
    ['a number', 7],
  ])('that is %s is told as that, with its status', async (_what, body) => {
    expect(await said(body)).toMatchObject({ code: 'network_error', status: 200 })
  })
})

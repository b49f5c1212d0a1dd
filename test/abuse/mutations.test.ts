// Requests that were good until something was changed in them, at random but from one seed.
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bearer } from '../support/call-trpc.ts'
import { startTestAgent, type TestAgent } from '../support/test-agent.ts'
import { countSockets, expectHealthy, until } from './attack.ts'
import { openRaw, toRequest } from './raw-http.ts'

let agent: TestAgent
let good: readonly string[]

beforeAll(async () => {
  agent = await startTestAgent({
    limits: { headersTimeoutMs: 400, requestTimeoutMs: 800, keepAliveTimeoutMs: 1 },
    rateLimitTiers: { standard: null },
  })
  const headers = bearer(await agent.token())
  const json = { ...headers, 'content-type': 'application/json' }
  const body = '{"text":"good"}'
  const batch = '{"0":{"text":"good"},"1":{"text":"good"}}'
  const post = (path: string, text: string): string => {
    const length = { 'content-length': String(text.length) }
    return toRequest(`/trpc/${path}`, { ...json, ...length }, { method: 'POST', body: text })
  }
  good = [
    toRequest(`/trpc/echo?input=${encodeURIComponent(body)}`, headers),
    toRequest(`/trpc/echo,echo?batch=1&input=${encodeURIComponent(batch)}`, headers),
    toRequest('/trpc/ticks', { ...headers, accept: 'text/event-stream' }),
    toRequest('/trpc', {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    }),
    post('echo', body),
    post('echo,echo?batch=1', batch),
    toRequest(
      '/trpc/echo',
      { ...json, 'transfer-encoding': 'chunked' },
      { method: 'POST', body: `f\r\n${body}\r\n0\r\n\r\n` },
    ),
  ]
})
afterAll(async () => agent[Symbol.asyncDispose]())

type Change = { readonly at: number; readonly removes: number; readonly adds: string }

/** Where, how many characters go, and what comes in their place. */
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  removes: fc.nat(8),
  adds: fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 6 }),
    fc.constantFrom(
      '\r\n',
      '\r\n\r\n',
      '\0',
      ': ',
      '%',
      '%00',
      '{',
      '[',
      '"',
      '__proto__',
      '0\r\n\r\n',
      'ÿ',
    ),
  ),
})

function apply(request: string, changes: readonly Change[]): string {
  let text = request
  for (const { adds, at, removes } of changes) {
    const begin = at % (text.length + 1)
    text = text.slice(0, begin) + adds + text.slice(begin + removes)
  }
  return text
}

test('are answered or cut, and nothing worse', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      async (which, changes) => {
        const bytes = apply(good[which % good.length] ?? '', changes)
        await using raw = await openRaw(agent.port)
        raw.socket.end(bytes, 'latin1')

        const answer = await raw.closed

        expect(answer).not.toMatch(/HTTP\/1\.1 5|stack|node_modules/)
      },
    ),
    { numRuns: 1500, seed: 32 },
  )
  await expectHealthy(agent)
  await until(() => countSockets() === 0)
  expect(agent.logText()).not.toMatch(/"level":(?:50|60)/)
})

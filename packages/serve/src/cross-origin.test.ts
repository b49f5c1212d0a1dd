// Calls and streams from scripts on web pages: what a browser asks before, and what it lets the page see.
import { describe, expect, test } from 'vitest'
import { bearer } from '../../../test/support/call-trpc.ts'
import { startTestAgent } from '../../../test/support/test-agent.ts'
import { allowOrigins } from './cross-origin.ts'

const PAGE = 'https://app.example'

async function preflight(url: string, origin: string) {
  return fetch(url, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'authorization,dpop,last-event-id,traceparent',
    },
  })
}

describe('a page of an allowed origin', () => {
  test('may send its token, and says so before it does', async () => {
    await using agent = await startTestAgent({ allowedOrigins: [PAGE] })

    const answer = await preflight(`${agent.url}/trpc/ticks`, PAGE)

    expect(answer.status).toBe(204)
    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE)
    expect(answer.headers.get('access-control-allow-headers')).toContain('authorization')
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
  })

  test('reads a stream, and may cache nothing of it', async () => {
    await using agent = await startTestAgent({ allowedOrigins: [PAGE] })

    const answer = await fetch(`${agent.url}/trpc/ticks`, {
      headers: { ...bearer(await agent.token()), accept: 'text/event-stream', origin: PAGE },
    })
    await answer.body?.cancel()

    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE)
    expect(answer.headers.get('content-type')).toBe('text/event-stream')
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('reads why it was refused', async () => {
    await using agent = await startTestAgent({ allowedOrigins: [PAGE] })

    const answer = await fetch(`${agent.url}/trpc/whoAmI`, { headers: { origin: PAGE } })

    expect(answer.status).toBe(401)
    expect(answer.headers.get('access-control-allow-origin')).toBe(PAGE)
    const exposed = answer.headers.get('access-control-expose-headers')?.split(',')
    // `date`: a client learns of it that its clock is wrong, which its proofs (DPoP) are dated by.
    expect(exposed).toEqual(expect.arrayContaining(['www-authenticate', 'date']))
  })
})

describe('any other page', () => {
  test.each([
    ['where some are allowed', [PAGE]],
    ['where none is', []],
  ])('is told of no permission %s', async (_, allowedOrigins) => {
    await using agent = await startTestAgent({ allowedOrigins })

    const answers = [
      await preflight(`${agent.url}/trpc/whoAmI`, 'https://evil.example'),
      await fetch(`${agent.url}/trpc/whoAmI`, {
        headers: { ...bearer(await agent.token()), origin: 'https://evil.example' },
      }),
    ]

    expect(answers.map(({ headers }) => headers.get('access-control-allow-origin'))).toEqual([
      null,
      null,
    ])
  })
})

test.each(['*', 'null', 'https://app.example/', 'https://app.example/path', 'app.example'])(
  '%s is no origin that could be allowed',
  (origin) => {
    expect(() => allowOrigins(() => undefined, [origin])).toThrow('is no origin')
  },
)

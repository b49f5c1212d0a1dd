import { createCallerAddress } from '@deputy/auth'
import { createLogger } from '@deputy/serve'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import { send } from '../../test-support/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'
import { createOAuthListener, type OAuthRoutes } from './oauth-listener.ts'
import type { Endpoint, OAuthRequest } from './oauth-request.ts'

/** Serves the routes on loopback. */
async function serve(routes: OAuthRoutes, trustedProxies = 0) {
  const logger = createLogger({ name: 'auth-server', level: 'silent' })
  const logged = vi.spyOn(logger, 'error')
  const server = createServer(
    createOAuthListener({ routes, logger, readAddress: createCallerAddress({ trustedProxies }) }),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${String(port)}`,
    logged: logged.mock.calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Answers what it was asked. */
function spy(): { readonly endpoint: Endpoint; readonly seen: OAuthRequest[] } {
  const seen: OAuthRequest[] = []
  return {
    seen,
    endpoint: (request) => {
      seen.push(request)
      return { body: {} }
    },
  }
}

function fail(error: unknown): OAuthRoutes {
  return {
    '/oauth/token': {
      POST: () => {
        throw error
      },
    },
  }
}

describe('what an endpoint throws', () => {
  test('becomes an answer without a word of it, when it is a bug', async () => {
    // Attack: an error that quotes a query, a path or a secret is provoked and read.
    const bug = new Error('SELECT * FROM client_secret')
    await using server = await serve(fail(bug))

    const answer = await send(`${server.url}/oauth/token`, { method: 'POST' })

    const correlationId = answer.headers.get('x-correlation-id')
    expect(answer.status).toBe(500)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toEqual({
      error: 'server_error',
      error_description: `internal error, see the log at ${String(correlationId)}`,
    })
    expect(server.logged).toEqual([[{ path: '/oauth/token', correlationId, err: bug }, 'failed']])
  })

  test('becomes its public words, when it is a refusal', async () => {
    const headers = { 'retry-after': '1' }
    const message = 'busy: "try" again \\ later, café (RFC 6749 §5.2)'
    const refusal = new OAuthError({
      code: 'temporarily_unavailable',
      message,
      status: 503,
      headers,
      reason: 'the real one',
    })
    await using server = await serve(fail(refusal))

    const answer = await send(`${server.url}/oauth/token`, { method: 'POST' })

    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    // RFC 6749 §5.2 allows neither quotation marks nor backslashes nor what lies outside ASCII.
    expect(answer.body).toEqual({
      error: 'temporarily_unavailable',
      error_description: "busy: 'try' again ' later, caf' (RFC 6749 section 5.2)",
    })
    expect(server.logged).toEqual([])
  })

  test('becomes 503 with a time to come back, when the store is gone', async () => {
    const gone = Object.assign(new Error('connection refused'), { code: 'database_unavailable' })
    await using server = await serve(fail(gone))

    const answer = await send(`${server.url}/oauth/token`, { method: 'POST' })

    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(answer.body).toMatchObject({ error: 'temporarily_unavailable' })
  })
})

describe('the body', () => {
  test.each([
    { bytes: 32 * 1024, status: 200 },
    { bytes: 32 * 1024 + 1, status: 413 },
  ])('of $bytes bytes is answered with $status', async ({ bytes, status }) => {
    const read: Endpoint = async (request) => ({
      body: { length: (await request.readBody()).length },
    })
    await using server = await serve({ '/oauth/token': { POST: read } })

    const answer = await send(`${server.url}/oauth/token`, {
      method: 'POST',
      body: 'x'.repeat(bytes),
    })

    expect(answer.status).toBe(status)
  })

  test('that is no UTF-8 is refused', async () => {
    const read: Endpoint = async (request) => ({ body: { text: await request.readBody() } })
    await using server = await serve({ '/oauth/token': { POST: read } })

    const body = new Uint8Array([0x61, 0xff, 0x62])
    const answer = await send(`${server.url}/oauth/token`, { method: 'POST', body })

    expect(answer.status).toBe(400)
    expect(answer.body).toMatchObject({ error: 'invalid_request' })
  })
})

describe('events', () => {
  test('come to their end for a caller that goes before the first of them', async () => {
    const begun = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<string>()
    async function* events(signal: AbortSignal): AsyncGenerator<string, void> {
      try {
        begun.resolve()
        await once(signal, 'abort')
        yield 'data: nobody reads this\n\n'
      } finally {
        ended.resolve('ended')
      }
    }
    await using server = await serve({ '/feed': { GET: () => ({ events }) } })
    const caller = new AbortController()
    const answer = fetch(`${server.url}/feed`, { signal: caller.signal })

    await begun.promise
    caller.abort()

    await expect(answer).rejects.toThrow(/abort/)
    await expect(ended.promise).resolves.toBe('ended')
  })
})

describe('the routes', () => {
  const routes: OAuthRoutes = {
    '/one': { GET: () => ({ body: { one: 1 } }) },
    '/things/*': { DELETE: () => ({ status: 204 }) },
  }

  test.each([
    { method: 'GET', path: '/one', status: 200 },
    { method: 'GET', path: '/one?x=y', status: 200 },
    { method: 'HEAD', path: '/one', status: 200 },
    { method: 'POST', path: '/one', status: 405 },
    { method: 'DELETE', path: '/things/a', status: 204 },
    { method: 'DELETE', path: '/things/a/b', status: 404 },
    { method: 'GET', path: '/constructor', status: 404 },
    { method: 'GET', path: '/__proto__', status: 404 },
  ])('answer $method $path with $status', async ({ method, path, status }) => {
    await using server = await serve(routes)

    const response = await fetch(server.url + path, { method })

    expect(response.status).toBe(status)
  })
})

describe('the address of the caller', () => {
  test('is what a trusted proxy says', async () => {
    const { endpoint, seen } = spy()
    await using server = await serve({ '/': { GET: endpoint } }, 1)

    await fetch(server.url, { headers: { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' } })

    expect(seen[0]?.remoteAddress).toBe('203.0.113.9')
  })
})

describe('the trace', () => {
  test.each([
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', '4bf92f3577b34da6a3ce929d0e0e4736'],
    ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', undefined],
    ['nonsense', undefined],
  ])('of traceparent %s is %s', async (traceparent, traceId) => {
    const { endpoint, seen } = spy()
    await using server = await serve({ '/': { GET: endpoint } })

    await fetch(server.url, { headers: { traceparent } })

    expect(seen[0]?.traceId).toBe(traceId)
  })
})

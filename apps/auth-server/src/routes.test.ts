import { createLogger } from '@deputy/serve'
import type { Handler } from 'hono'
import { describe, expect, test, vi } from 'vitest'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { openTestKeyRing } from '../test-support/signing-keys.ts'
import { createStorage, STORAGE_ADAPTERS } from '../test-support/storage-adapters.ts'
import { OAuthError } from './oauth-error.ts'
import { createRoutes } from './routes.ts'

/** Posts to a token endpoint that does what the handler does. */
async function postTo(handler: Handler) {
  const [adapter] = STORAGE_ADAPTERS
  if (adapter === undefined) throw new TypeError('there is no storage adapter')
  await using storage = await createStorage(adapter)
  const logger = createLogger({ name: 'auth-server', level: 'silent' })
  const logged = vi.spyOn(logger, 'error')
  const routes = createRoutes({
    issuer: 'https://auth.example',
    keyRing: await openTestKeyRing({ store: storage.signingKeys, clock: createSettableClock() }),
    token: handler,
    introspect: handler,
    logger,
  })
  const response = await routes.request('/oauth/token', { method: 'POST' })
  return { response, text: await response.text(), logged: logged.mock.calls }
}

describe('what an endpoint throws', () => {
  test('becomes an answer without a word of it, when it is a bug', async () => {
    // Attack: an error that quotes a query, a path or a secret is provoked and read.
    const bug = new Error('SELECT * FROM client_secret')

    const { logged, response, text } = await postTo(() => {
      throw bug
    })

    expect(response.status).toBe(500)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const correlationId = /"internal error, see the log at ([0-9a-f-]{36})"/.exec(text)?.[1]
    expect(JSON.parse(text)).toEqual({
      error: 'server_error',
      error_description: `internal error, see the log at ${String(correlationId)}`,
    })
    expect(logged).toEqual([[{ path: '/oauth/token', correlationId, err: bug }, 'failed']])
  })

  test('becomes its public words, when it is a refusal', async () => {
    const { logged, response, text } = await postTo(() => {
      const headers = { 'retry-after': '1' }
      const message = 'busy: "try" again \\ later, café'
      throw new OAuthError({ code: 'temporarily_unavailable', message, status: 503, headers })
    })

    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    // RFC 6749 §5.2 allows neither quotation marks nor backslashes nor what lies outside ASCII.
    expect(JSON.parse(text)).toEqual({
      error: 'temporarily_unavailable',
      error_description: "busy: 'try' again ' later, caf'",
    })
    expect(logged).toEqual([])
  })
})

// The same socket under the OAuth endpoints: after each attack a token is issued.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  startAuthServer,
  type TestServer,
} from '../../apps/auth-server/test-support/auth-server.ts'
import { countSockets, until } from './attack.ts'
import { openRaw, readBody, toRequest } from './raw-http.ts'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

let server: TestServer
let port: number

beforeAll(async () => {
  const agentLimits = { headersTimeoutMs: 500, requestTimeoutMs: 1000, maxConnections: 30 }
  server = await startAuthServer({ agentLimits, rateLimitTiers: { standard: null } })
  port = Number(new URL(server.issuer).port)
})
afterAll(async () => server[Symbol.asyncDispose]())

afterEach(async () => {
  const { id, secret } = server.operator
  const answer = await fetch(`${server.issuer}/oauth/token`, {
    method: 'POST',
    headers: { connection: 'close' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      audience: 'auth-server',
      client_id: id,
      client_secret: secret,
    }),
  })
  expect([answer.status, await answer.json()]).toMatchObject([200, { token_type: 'Bearer' }])
  await until(() => countSockets() === 0)
})

test('a body that never ends gets 413 in the form of OAuth, and is cut', async () => {
  const headers = { ...FORM, 'transfer-encoding': 'chunked' }
  await using mallory = await openRaw(port, toRequest('/oauth/token', headers, { method: 'POST' }))
  const chunk = `ffff\r\n${'x'.repeat(0xffff)}\r\n`

  for (let at = 0; at < 50 && mallory.socket.writable; at += 1) mallory.write(chunk)

  const answer = await mallory.closed
  expect(answer).toMatch(/^HTTP\/1\.1 413 /)
  expect(readBody(answer)).toMatchObject({ error: 'invalid_request' })
})

test('bodies that come byte by byte get 408', async () => {
  const headers = { ...FORM, 'content-length': '1000' }
  const request = toRequest('/oauth/token', headers, { method: 'POST', body: 'grant_type=' })
  const attack = await Promise.all(Array.from({ length: 20 }, async () => openRaw(port, request)))

  for (const mallory of attack) {
    expect(await mallory.closed).toMatch(/^HTTP\/1\.1 408 /)
    await mallory[Symbol.asyncDispose]()
  }
})

test.each([
  ['header fields', toRequest('/oauth/token', { x: 'x'.repeat(20_000) }), 431],
  ['a URL', toRequest(`/oauth/token?${'x'.repeat(9000)}`), 414],
  ['two lengths', toRequest('/oauth/token', { 'content-length': '1', 'Content-Length': '2' }), 400],
])('%s beyond what is allowed is refused with the reason', async (_what, request, status) => {
  await using mallory = await openRaw(port, request)

  const answer = await mallory.closed

  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${String(status)} `))
  expect(readBody(answer)).toMatchObject({ error: { data: { httpStatus: status } } })
})

test.each(['__proto__', 'constructor', 'toString'])(
  'names that every object has are none of OAuth: %s',
  async (name) => {
    const pairs = `grant_type=${name}&audience=${name}&client_id=${name}&client_secret=${name}&${name}=x`
    const [answer, path] = await Promise.all([
      fetch(`${server.issuer}/oauth/token`, {
        method: 'POST',
        headers: { ...FORM, connection: 'close' },
        body: pairs,
      }),
      fetch(`${server.issuer}/${name}`, { headers: { connection: 'close' } }),
    ])

    expect([answer.status, await answer.json()]).toMatchObject([401, { error: 'invalid_client' }])
    expect(path.status).toBe(404)
    expect(Reflect.get({}, 'polluted')).toBeUndefined()
  },
)

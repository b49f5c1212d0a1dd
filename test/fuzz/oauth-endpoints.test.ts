// Every OAuth endpoint under random requests: none is answered with a fault of the server, each answer is
// one that a client can read, and what was sent as a secret is in no answer.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../apps/auth-server/test-support/admin-client.ts'
import { startAuthServer } from '../../apps/auth-server/test-support/auth-server.ts'
import { postToken } from '../../apps/auth-server/test-support/oauth-request.ts'
import { createRequests, send } from './oauth-requests.ts'

test('no request is too strange for an answer', { timeout: 120_000 }, async () => {
  await using stack = new AsyncDisposableStack()
  const rateLimitTiers = { standard: null }
  const server = stack.use(await startAuthServer({ isRegistrationOpen: true, rateLimitTiers }))
  const admin = stack.use(connectAdmin(server))
  const { alice } = await enrollCast(admin)
  const good = `Basic ${Buffer.from(`${alice.id}:${alice.secret}`).toString('base64')}`

  await fc.assert(
    fc.asyncProperty(createRequests(good), async (sent) => {
      const got = await send(server.issuer, sent)
      if (got === undefined) return

      expect(got.status).toBeGreaterThanOrEqual(200)
      expect(got.status).toBeLessThan(500)
      expect(got.text).not.toContain(alice.secret)
      // tRPC's own adapter calls its JSON text when a request has no content type.
      const isCalledJson = got.type.startsWith('application/json') || sent.path.startsWith('/trpc')
      expect(got.text === '' || isCalledJson).toBe(true)
      const answer: unknown = got.text === '' ? {} : JSON.parse(got.text)
      expect(answer).toBeTypeOf('object')
    }),
    { numRuns: 5000 },
  )

  expect((await postToken(server, alice)).status).toBe(200)
  expect(await admin.audit.verify.query()).toMatchObject({ ok: true })
})

// A running server rotates its signing key while it is being used.
import { decodeProtectedHeader } from 'jose'
import { expect, test, vi } from 'vitest'
import { connectAdmin, enrollCast } from '../test-support/admin-client.ts'
import { startAuthServer } from '../test-support/auth-server.ts'
import { getToken, introspect, send } from '../test-support/oauth-request.ts'
import { RELOAD_WITHIN_SECONDS } from './keys/key-schedule.ts'

const THIRTY_DAYS = 30 * 24 * 60 * 60

test('rotates when it is time, and loses no call on the way', async () => {
  const scheduled = vi.spyOn(globalThis, 'setTimeout')
  await using server = await startAuthServer()
  // The timer runs in real time; the test has no 15 seconds, and takes its tick by hand.
  const tick = scheduled.mock.calls.find(([, ms]) => ms === (RELOAD_WITHIN_SECONDS * 1000) / 2)?.[0]
  await using admin = connectAdmin(server)
  const { alice, bob } = await enrollCast(admin)
  const kids = new Set<string | undefined>()
  const actives: unknown[] = []
  const call = async (): Promise<void> => {
    const token = await getToken(server, alice)
    kids.add(decodeProtectedHeader(token).kid)
    actives.push((await introspect(server, bob, token)).body['active'])
  }
  await call()

  server.clock.advance(THIRTY_DAYS)
  const calls = Array.from({ length: 20 }, call)
  tick?.()
  await Promise.all(calls)
  while (kids.size === 1) await call()

  expect(kids.size).toBe(2)
  expect(new Set(actives)).toEqual(new Set([true]))
  const { body } = await send(`${server.issuer}/.well-known/jwks.json`)
  expect(body).toMatchObject({ keys: [{ kid: [...kids][1] }, {}, { kid: [...kids][0] }] })
})

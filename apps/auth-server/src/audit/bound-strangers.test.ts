// Attack: whoever reaches the port, and knows nothing, sends requests that are refused, each of which would stay on
// the audit trail for years.
import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast, type AdminClient } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { postToken, send } from '../../test-support/oauth-request.ts'
import { createRegistrationWorld } from '../../test-support/registration-world.ts'

async function countRefused(admin: AdminClient): Promise<number> {
  let count = 0
  let cursor: number | undefined
  do {
    const page = await admin.audit.list.query({ outcome: 'refused', limit: 200, cursor })
    count += page.entries.length
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return count
}

const FLOOD = Array.from({ length: 300 }, (_, place) => place)

describe('a flood of strangers leaves a bounded number of entries', () => {
  test.each<[string, string, (place: number) => RequestInit]>([
    ['each in another name', '/oauth/token', (place) => named(`agent-${String(place)}`)],
    ['with bodies that are no form', '/oauth/token', () => ({ body: '{}' })],
    ['to be told of tokens', '/oauth/introspect', () => ({ body: '{}' })],
    ['to revoke', '/oauth/revoke', () => ({ body: '{}' })],
    ['with tokens to register that are none', '/oauth/register', () => bearer],
  ])('%s', async (_how, path, toRequest) => {
    await using world = await createRegistrationWorld()
    const { issuer } = world.server

    const answers = await Promise.all(
      FLOOD.map(async (place) => send(issuer + path, { method: 'POST', ...toRequest(place) })),
    )

    expect(answers.every(({ status }) => status >= 400 && status < 500)).toBe(true)
    const atOnce = await countRefused(world.admin)
    expect(atOnce).toBeLessThanOrEqual(100)
    expect(atOnce).toBeGreaterThan(10)
  })

  test('and the next entry says how many were left out', async () => {
    await using world = await createRegistrationWorld()
    const { clock, issuer } = world.server
    const send1 = async () => send(`${issuer}/oauth/token`, { method: 'POST', body: '{}' })
    await Promise.all(FLOOD.map(send1))
    clock.advance(60)

    await send1()

    const { entries } = await world.admin.audit.list.query({ outcome: 'refused', limit: 1 })
    expect(entries).toMatchObject([{ details: { omitted: '200' } }])
  })
})

test('a client that is known has each refusal on the trail, also during a flood', async () => {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const { alice } = await enrollCast(admin)
  await Promise.all(
    FLOOD.map(async () => send(`${server.issuer}/oauth/token`, { method: 'POST', body: '{}' })),
  )
  const before = await countRefused(admin)

  for (let time = 0; time < 5; time += 1) {
    await postToken(server, alice, { scope: 'agents:write' })
  }

  expect((await countRefused(admin)) - before).toBe(5)
})

const bearer: RequestInit = {
  headers: { authorization: 'Bearer ia-agent-none', 'content-type': 'application/json' },
  body: '{}',
}

function named(id: string): RequestInit {
  return {
    headers: { authorization: `Basic ${btoa(`${id}:wrong`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  }
}

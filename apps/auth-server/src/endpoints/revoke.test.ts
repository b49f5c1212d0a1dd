import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import {
  basic,
  getToken,
  introspect,
  readOAuthError,
  revoke,
  send,
} from '../../test-support/oauth-request.ts'

async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const resources = stack.move()
  return { server, admin, ...cast, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

const INACTIVE = '{"active":false}'

describe('POST /oauth/revoke', () => {
  test('ends a token for everybody who asks about it, and no other token', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    const other = await getToken(world.server, world.alice)

    const answer = await revoke(world.server, world.alice, token)

    expect([answer.status, answer.text]).toEqual([200, '{}'])
    expect((await introspect(world.server, world.bob, token)).text).toBe(INACTIVE)
    expect((await introspect(world.server, world.bob, other)).body).toMatchObject({ active: true })
  })

  test('ends an API key of the agent', async () => {
    await using world = await setUp()
    const { apiKey } = await world.admin.apiKeys.create.mutate({
      agentId: world.alice.id,
      scopes: ['notes:read'],
    })

    const answer = await revoke(world.server, world.alice, apiKey)

    expect(answer.status).toBe(200)
    expect((await introspect(world.server, world.bob, apiKey)).text).toBe(INACTIVE)
  })

  test('has one entry of a key that is ended twice at once', async () => {
    await using world = await setUp()
    const { apiKey } = await world.admin.apiKeys.create.mutate({
      agentId: world.alice.id,
      scopes: ['notes:read'],
    })

    const twice = [apiKey, apiKey].map(async (key) => revoke(world.server, world.alice, key))

    expect((await Promise.all(twice)).map(({ status }) => status)).toEqual([200, 200])
    const event = 'api_key.deactivated'
    expect((await world.admin.audit.list.query({ event })).entries).toHaveLength(1)
  })

  test('answers 200 to what it does not know, and to what was ended before', async () => {
    // > invalid tokens do not cause an error response (RFC 7009 §2.2)
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    await revoke(world.server, world.alice, token)

    const answers = await Promise.all(
      [token, 'nonsense', `${token}x`, `sk-agent-${'0'.repeat(49)}`].map(async (text) =>
        revoke(world.server, world.alice, text),
      ),
    )

    expect(answers.map(({ status, text }) => `${String(status)} ${text}`)).toEqual(
      Array(4).fill('200 {}'),
    )
  })

  test("leaves another agent's token and key as they are, without a word", async () => {
    // Attack: Mallory found a token in a log and cuts Alice off.
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    const { apiKey } = await world.admin.apiKeys.create.mutate({
      agentId: world.alice.id,
      scopes: ['notes:read'],
    })

    const answers = [
      await revoke(world.server, world.mallory, token),
      await revoke(world.server, world.mallory, apiKey),
      // The agent that a token is meant for did not get it either.
      await revoke(world.server, world.bob, token),
    ]

    expect(answers.map(({ text }) => text)).toEqual(Array(3).fill('{}'))
    expect((await introspect(world.server, world.bob, token)).body).toMatchObject({ active: true })
    expect((await introspect(world.server, world.bob, apiKey)).body).toMatchObject({ active: true })
  })

  test('is for clients that authenticate, and needs a token', async () => {
    await using world = await setUp()
    const url = `${world.server.issuer}/oauth/revoke`

    const stranger = await revoke(world.server, { id: 'agent-alice', secret: 'wrong' }, 'x')
    const nothing = await send(url, {
      method: 'POST',
      headers: basic(world.alice),
      body: new URLSearchParams(),
    })
    const inUrl = await send(`${url}?token=x`, {
      method: 'POST',
      headers: basic(world.alice),
      body: new URLSearchParams({ token: 'x' }),
    })

    expect([stranger, nothing, inUrl].map(readOAuthError)).toEqual([
      { status: 401, error: 'invalid_client' },
      { status: 400, error: 'invalid_request' },
      { status: 400, error: 'invalid_request' },
    ])
  })

  test('shuts the admin API to a token at once', async () => {
    await using world = await setUp()
    const { issuer, operator } = world.server
    const token = await getToken(world.server, operator)
    const headers = { authorization: `Bearer ${token}` }
    const before = await fetch(`${issuer}/trpc/agents.list`, { headers })

    await revoke(world.server, operator, token)

    const after = await fetch(`${issuer}/trpc/agents.list`, { headers })
    expect([before.status, after.status]).toEqual([200, 401])
    expect(after.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(await after.text()).toContain('token_revoked')
  })
})

describe('tokens.revoke', () => {
  test('ends a token by its id, as the log has it', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    const { jti } = (await introspect(world.server, world.bob, token)).body
    const named = { agentId: world.alice.id, tokenId: String(jti) }

    const first = await world.admin.tokens.revoke.mutate(named)
    const again = await world.admin.tokens.revoke.mutate(named)

    expect([first.revoked, again.revoked]).toEqual([true, false])
    expect((await introspect(world.server, world.bob, token)).text).toBe(INACTIVE)
  })

  test('ends nothing under the id of a token and the name of another agent', async () => {
    await using world = await setUp()
    const token = await getToken(world.server, world.alice)
    const { jti } = (await introspect(world.server, world.bob, token)).body

    const attack = world.admin.tokens.revoke.mutate({
      agentId: world.mallory.id,
      tokenId: String(jti),
    })

    await expect(attack).rejects.toMatchObject({ data: { reason: 'token_unknown' } })
    expect((await introspect(world.server, world.bob, token)).body).toMatchObject({ active: true })
  })
})

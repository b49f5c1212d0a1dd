import { AccessTokenClaims, TokenResponse } from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { connectAdmin, enroll } from '../../test-support/admin-client.ts'
import { startAuthServer, type Client } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import {
  getToken,
  introspect,
  postToken,
  readOAuthError,
  revoke,
  type Answer,
} from '../../test-support/oauth-request.ts'
import { ACCESS_TOKEN_TYPE_URI, TOKEN_EXCHANGE_GRANT_TYPE } from './token-exchange.ts'

/** Alice hands work to Bob, Bob to Carol, Carol to Dave. Mallory is a stranger with every scope. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startAuthServer())
  const admin = stack.use(connectAdmin(server))
  const scopes = ['bob:ask', 'carol:ask', 'carol:tell', 'dave:ask']
  const make = async (name: string, calls: readonly string[], maxDepth = 5): Promise<Client> =>
    enroll(admin, `agent-${name}`, {
      scopes,
      audiences: calls.map((one) => `agent-${one}`),
      scopesSupported: scopes.filter((scope) => scope.startsWith(`${name}:`)),
      delegation: { to: calls.map((one) => `agent-${one}`), maxDepth },
      authorizationDetailsTypes: ['budget'],
    })
  const cast = {
    dave: await make('dave', ['alice', 'bob']),
    carol: await make('carol', ['dave', 'bob']),
    bob: await make('bob', ['carol', 'dave']),
    alice: await make('alice', ['bob'], 2),
    mallory: await make('mallory', ['bob', 'carol', 'dave']),
  }
  const scope = 'bob:ask carol:ask carol:tell dave:ask'
  const root = await getToken(server, cast.alice, { audience: 'agent-bob', scope })
  const exchange = async (client: Client, form: Record<string, string>): Promise<Answer> =>
    postToken(server, client, {
      grant_type: TOKEN_EXCHANGE_GRANT_TYPE,
      subject_token_type: ACCESS_TOKEN_TYPE_URI,
      subject_token: root,
      audience: 'agent-carol',
      ...form,
    })
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { server, admin, ...cast, root, exchange, [Symbol.asyncDispose]: dispose }
}

function readToken(answer: Answer): string {
  return TokenResponse.parse(answer.body).access_token
}

function readClaims(token: string): AccessTokenClaims {
  return AccessTokenClaims.parse(decodeJwt(token))
}

describe('an exchange', () => {
  test('lets the called agent act for the caller, with what is needed and no more', async () => {
    await using world = await setUp()

    const answer = await world.exchange(world.bob, { scope: 'carol:ask dave:ask' })

    expect(answer.status).toBe(200)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.body).toMatchObject({
      issued_token_type: ACCESS_TOKEN_TYPE_URI,
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'carol:ask dave:ask',
    })
    const root = readClaims(world.root)
    const claims = readClaims(readToken(answer))
    expect(claims).toMatchObject({
      sub: 'agent-alice',
      client_id: 'agent-bob',
      aud: 'agent-carol',
      act: { sub: 'agent-bob' },
      grant_path: [...(root.grant_path ?? []), claims.jti],
      exp: START_AT + 300,
    })
  })

  test('nests the prior actor when the work is handed on again', async () => {
    await using world = await setUp()
    const first = readToken(await world.exchange(world.bob, { scope: 'carol:ask dave:ask' }))

    const second = await world.exchange(world.carol, {
      subject_token: first,
      audience: 'agent-dave',
      scope: 'dave:ask',
    })

    expect(readClaims(readToken(second))).toMatchObject({
      sub: 'agent-alice',
      client_id: 'agent-carol',
      act: { sub: 'agent-carol', act: { sub: 'agent-bob' } },
      scope: 'dave:ask',
    })
  })

  test("gives the target's own scopes when none are named", async () => {
    await using world = await setUp()

    const answer = await world.exchange(world.bob, {})

    expect(answer.body).toMatchObject({ scope: 'carol:ask carol:tell' })
  })

  test('does not nest when an agent goes on with its own token', async () => {
    await using world = await setUp()
    const first = readToken(await world.exchange(world.bob, { scope: 'carol:ask dave:ask' }))

    const narrower = await world.exchange(world.bob, { subject_token: first, scope: 'carol:ask' })

    expect(readClaims(readToken(narrower)).act).toEqual({ sub: 'agent-bob' })
  })

  test('never outlives the token that it came from', async () => {
    await using world = await setUp()
    world.server.clock.advance(800)

    const answer = await world.exchange(world.bob, {})

    expect(readClaims(readToken(answer)).exp).toBe(readClaims(world.root).exp)
  })

  test('carries the limits on, and lets a hop make them narrower', async () => {
    await using world = await setUp()
    const root = await getToken(world.server, world.alice, {
      audience: 'agent-bob',
      scope: 'bob:ask carol:ask',
      authorization_details: '[{"type":"budget","currency":"USD","amount":"5.00"}]',
    })
    const ask = async (amount: string): Promise<Answer> =>
      world.exchange(world.bob, {
        subject_token: root,
        authorization_details: JSON.stringify([{ type: 'budget', currency: 'USD', amount }]),
      })

    const narrower = readClaims(readToken(await ask('3.00')))

    expect(narrower.authorization_details).toEqual([
      { type: 'budget', currency: 'USD', amount: '5.00', identifier: readClaims(root).jti },
      { type: 'budget', currency: 'USD', amount: '3.00', identifier: narrower.jti },
    ])
    expect(readOAuthError(await ask('5.01')).error).toBe('invalid_authorization_details')
  })

  test('is on the audit trail with what it left behind', async () => {
    await using world = await setUp()
    const claims = readClaims(readToken(await world.exchange(world.bob, { scope: 'carol:ask' })))

    const { entries } = await world.admin.audit.list.query({ event: 'token.exchanged' })

    expect(entries).toMatchObject([
      {
        actorId: 'agent-bob',
        subjectId: 'agent-alice',
        audience: 'agent-carol',
        tokenId: claims.jti,
        grantId: readClaims(world.root).jti,
        details: { from: readClaims(world.root).jti },
      },
    ])
  })
})

describe('an exchange is refused', () => {
  test('to an agent that the token was neither issued to nor meant for', async () => {
    // Attack (splicing): Mallory found Alice's token for Bob in a log, and makes it her own.
    await using world = await setUp()

    const answer = await world.exchange(world.mallory, {})

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_request' })
  })

  test.each([
    ['a scope that the token does not carry', { scope: 'carol:ask alice:ask' }, 'invalid_scope'],
    ['an audience that there is not', { audience: 'agent-nobody' }, 'invalid_target'],
    ['an audience that the actor may not call', { audience: 'agent-alice' }, 'invalid_target'],
    ['a token that nobody issued', { subject_token: 'a.b.c' }, 'invalid_request'],
    ['a type of token that is not taken', { subject_token_type: 'x' }, 'invalid_request'],
    ['a type of token that is not given', { requested_token_type: 'x' }, 'invalid_request'],
    ['no subject token', { subject_token: '' }, 'invalid_request'],
    ['no type of the subject token', { subject_token_type: '' }, 'invalid_request'],
    ['the type of no actor token', { actor_token_type: 'x' }, 'invalid_request'],
  ])('for %s', async (_, form, error) => {
    await using world = await setUp()

    const answer = await world.exchange(world.bob, form)

    expect(readOAuthError(answer)).toEqual({ status: 400, error })
  })

  test('when nothing is left, which never comes to mean everything', async () => {
    await using world = await setUp()
    const root = await getToken(world.server, world.alice, {
      audience: 'agent-bob',
      scope: 'bob:ask',
    })

    const answer = await world.exchange(world.bob, { subject_token: root })

    expect(readOAuthError(answer)).toEqual({ status: 400, error: 'invalid_scope' })
  })

  test("with another agent's token as the actor's", async () => {
    await using world = await setUp()
    const actor_token = await getToken(world.server, world.mallory, {
      audience: 'agent-bob',
      scope: 'bob:ask',
    })

    const answer = await world.exchange(world.bob, {
      actor_token,
      actor_token_type: ACCESS_TOKEN_TYPE_URI,
    })

    expect(readOAuthError(answer).error).toBe('invalid_request')
  })

  test('beyond the depth that the first agent allows', async () => {
    await using world = await setUp()
    const scope = 'carol:ask dave:ask bob:ask'
    const first = readToken(await world.exchange(world.bob, { scope: 'carol:ask dave:ask' }))
    const second = readToken(
      await world.exchange(world.carol, {
        subject_token: first,
        audience: 'agent-dave',
        scope: 'dave:ask',
      }),
    )

    const third = await world.exchange(world.dave, {
      subject_token: second,
      audience: 'agent-alice',
      scope,
    })

    expect(third.body).toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('as often as it may be'),
    })
  })

  test('to an agent that is in the chain already', async () => {
    await using world = await setUp()
    const first = readToken(await world.exchange(world.bob, { scope: 'carol:ask dave:ask' }))
    const back = await world.exchange(world.carol, {
      subject_token: first,
      audience: 'agent-dave',
      scope: 'dave:ask',
    })
    await world.admin.agents.update.mutate({
      id: 'agent-carol',
      settings: { delegation: { to: ['agent-dave', 'agent-bob'], maxDepth: 5 } },
    })
    const toBob = await postToken(world.server, world.carol, {
      grant_type: TOKEN_EXCHANGE_GRANT_TYPE,
      subject_token_type: ACCESS_TOKEN_TYPE_URI,
      subject_token: first,
      audience: 'agent-bob',
      scope: 'dave:ask',
    })
    expect(back.status).toBe(200)

    const cycle = await world.exchange(world.bob, {
      subject_token: readToken(toBob),
      audience: 'agent-dave',
      scope: 'dave:ask',
    })

    expect(cycle.body).toMatchObject({
      error: 'invalid_request',
      error_description: expect.stringContaining('in the chain'),
    })
  })

  test.each([
    [
      'the root token was revoked',
      async (world: World) => revoke(world.server, world.alice, world.root),
    ],
    [
      'the agent whose authority it is was deactivated',
      async (world: World) => world.admin.agents.deactivate.mutate({ id: 'agent-alice' }),
    ],
    [
      'the credential that the root was obtained with was ended',
      async (world: World) => {
        const { clientSecrets } = await world.admin.clientSecrets.list.query({
          agentId: 'agent-alice',
        })
        const clientSecretId = clientSecrets[0]?.clientSecretId ?? ''
        await world.admin.clientSecrets.deactivate.mutate({ clientSecretId })
      },
    ],
  ])('once %s: a dead chain is neither extended nor accepted', async (_, end) => {
    await using world = await setUp()
    const first = readToken(await world.exchange(world.bob, { scope: 'carol:ask dave:ask' }))
    expect((await introspect(world.server, world.carol, first)).body).toMatchObject({
      active: true,
    })

    await end(world)

    const onward = await world.exchange(world.carol, {
      subject_token: first,
      audience: 'agent-dave',
      scope: 'dave:ask',
    })
    expect(readOAuthError(onward).error).toBe('invalid_request')
    expect((await introspect(world.server, world.carol, first)).body).toEqual({ active: false })
  })
})

type World = Awaited<ReturnType<typeof setUp>>

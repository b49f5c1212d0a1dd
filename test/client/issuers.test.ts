// The same client against Deputy's authorization server and against oidc-provider, which knows nothing of it: from
// the agent's URL alone (RFC 9728, RFC 8414, RFC 8707), by secret and by key, with bearer and with bound tokens.
import { systemClock, type Clock } from '@deputy/auth/protocol'
import {
  clientSecret,
  createAgentClient,
  generateDpopKey,
  privateKeyJwt,
  toClientError,
  type Credentials,
} from '@deputy/client'
import { describe, expect, test } from 'vitest'
import {
  CLIENT,
  CLIENT_BY_KEY,
  startDeputy,
  startOidcProvider,
  type IssuerUnderTest,
  type LedgerRouter,
} from '../support/issuer-under-test.ts'

/** Nothing but where the agent is, and who calls. */
const open = ({ agentUrl }: IssuerUnderTest, credentials: Credentials, scopes = ['ledger:read']) =>
  createAgentClient<LedgerRouter>({ url: agentUrl, credentials, scopes, stepUp: ['ledger:write'] })

const bySecret = ({ clientSecret: secret, issuer }: IssuerUnderTest, changes: object = {}) =>
  clientSecret({ issuer, clientId: CLIENT, clientSecret: secret, ...changes })

/** Which issuer it is the agent says. */
const byKey = ({ key }: IssuerUnderTest, changes: object = {}) =>
  privateKeyJwt({ clientId: CLIENT_BY_KEY, key, ...changes })

const off = (seconds: number): Clock => ({ now: () => systemClock.now() + seconds })

describe.each([
  ['Deputy', startDeputy],
  ['oidc-provider', startOidcProvider],
])('at %s', (_name, start) => {
  test('a client gets its token by secret, with the scopes that it names', async () => {
    await using world = await start({})

    expect(await open(world, bySecret(world)).whoAmI.query()).toEqual({
      agentId: CLIENT,
      scopes: ['ledger:read'],
    })
  })

  test('by key, too, whoever the issuer is', async () => {
    await using world = await start({})

    expect(await open(world, byKey(world)).whoAmI.query()).toMatchObject({ agentId: CLIENT_BY_KEY })
  })

  test('by key where its clock is an hour off', async () => {
    await using world = await start({})
    const client = open(world, byKey(world, { clock: off(-3600) }))

    expect(await client.whoAmI.query()).toMatchObject({ agentId: CLIENT_BY_KEY })
  })

  test.each([false, true])(
    'with a key of its own, its tokens are bound to it (nonces: %s)',
    async (wantsNonces) => {
      await using world = await start({ wantsNonces })
      const credentials = bySecret(world, { dpopKey: await generateDpopKey() })
      const client = open(world, credentials)

      expect(await client.whoAmI.query()).toMatchObject({ agentId: CLIENT })
      expect(await client.pay.mutate()).toBe('paid')
      const target = { resource: world.agentUrl, scopes: ['ledger:read'] }
      const token = await credentials.client.getToken(target, credentials.grant)
      expect(token.type).toBe('DPoP')
    },
  )

  test('bound tokens are had where its clock is off, with nonces and without', async () => {
    await using world = await start({})
    const credentials = bySecret(world, { dpopKey: await generateDpopKey(), clock: off(3600) })

    expect(await open(world, credentials).whoAmI.query()).toMatchObject({ agentId: CLIENT })
  })

  test('it steps up where its policy allows it', async () => {
    await using world = await start({})
    const client = open(world, bySecret(world))

    expect(await client.pay.mutate()).toBe('paid')
  })

  test('a hundred calls at once ask for one token', async () => {
    await using world = await start({})
    let requests = 0
    const counting: typeof fetch = async (input, init) => {
      if (init?.method === 'POST') requests += 1
      return fetch(input, init)
    }
    const client = open(world, bySecret(world, { fetch: counting }))

    await Promise.all(Array.from({ length: 100 }, async () => client.whoAmI.query()))

    expect(requests).toBe(1)
  })

  test('what is refused is told alike', async () => {
    await using world = await start({})
    const wrong = bySecret(world, { clientSecret: 'not-the-secret' })

    const secret = await open(world, wrong).whoAmI.query().catch(toClientError)

    expect(secret).toMatchObject({
      code: 'token_refused',
      oauthError: 'invalid_client',
      status: 401,
    })
  })
})

import { isAgentSecret } from '@deputy/auth/protocol'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { START_AT } from '../../test-support/clock.ts'
import {
  createStorage,
  makeAgent,
  makeClientSecret,
  STORAGE_ADAPTERS,
} from '../../test-support/storage-adapters.ts'
import { createUseLog } from '../credentials/use-log.ts'
import type { FormBody } from '../endpoints/form-body.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { hashSecret } from '../secret-hash.ts'
import { createClientAuthentication } from './client-authentication.ts'
import { createClientSecret } from './create-client-secret.ts'

const [ADAPTER] = STORAGE_ADAPTERS
const ALICE = { agentId: 'agent-alice', now: START_AT }
const NO_FORM = new Map<string, string>()
const REFUSED = {
  code: 'invalid_client',
  status: 401,
  message: 'the client is unknown or inactive, or its secret is wrong',
}

/** Alice with a good secret, Bob with his own, Carol who was deactivated. */
async function setUp() {
  if (ADAPTER === undefined) throw new TypeError('there is no storage adapter')
  const storage = await createStorage(ADAPTER)
  const clock = createSettableClock()
  for (const id of ['agent-alice', 'agent-bob', 'agent-carol']) {
    await storage.agents.insert(makeAgent({ id }))
    const secretHash = hashSecret(`secret of ${id}`)
    await storage.clientSecrets.insert(makeClientSecret({ id: `${id}-1`, agentId: id, secretHash }))
  }
  await storage.agents.deactivate({ id: 'agent-carol', within: EVERY_OWNER }, START_AT)
  const uses = createUseLog({
    write: async (noted) => storage.lastUses.touch(noted),
    onFault: (error) => {
      throw error
    },
  })
  const verify = createClientAuthentication({
    clients: storage.clients,
    uses,
    assertions: {
      verify: async () => {
        throw new Error('no assertion was sent')
      },
    },
    clock,
  })
  const authenticate = async (authorization: string | undefined, body: FormBody) =>
    (
      await verify({
        authorization,
        body,
        trail: { note: () => undefined },
        remoteAddress: '127.0.0.1',
      })
    ).agent
  return { authenticate, clock, storage, uses, [Symbol.asyncDispose]: async () => storage.close() }
}

function basic(text: string): string {
  return `Basic ${Buffer.from(text).toString('base64')}`
}

function post(id: string, secret: string): Map<string, string> {
  return new Map([
    ['client_id', id],
    ['client_secret', secret],
  ])
}

describe('client authentication', () => {
  test('knows a client by client_secret_basic', async () => {
    await using world = await setUp()

    const agent = await world.authenticate(basic('agent-alice:secret+of+agent-alice'), NO_FORM)

    expect(agent.id).toBe('agent-alice')
  })

  test('knows a client by client_secret_post', async () => {
    await using world = await setUp()

    const agent = await world.authenticate(undefined, post('agent-alice', 'secret of agent-alice'))

    expect(agent.id).toBe('agent-alice')
  })

  test.each([
    ['plus signs', 'agent-alice:secret+of+agent-alice'],
    ['percent signs', 'agent%2Dalice:secret%20of%20agent-alice'],
    ['an unencoded space', 'agent-alice:secret of agent-alice'],
  ])('undoes form encoding with %s in Basic', async (_, text) => {
    await using world = await setUp()

    const agent = await world.authenticate(basic(text), NO_FORM)

    expect(agent.id).toBe('agent-alice')
  })

  test('takes a secret with a colon, a percent sign and letters outside ASCII', async () => {
    await using world = await setUp()
    const secret = 'a:b%c+dé €'
    await world.storage.clientSecrets.insert(
      makeClientSecret({ id: 'odd', secretHash: hashSecret(secret) }),
    )
    const encoded = new URLSearchParams({ '': secret }).toString().slice(1)

    const agent = await world.authenticate(basic(`agent-alice:${encoded}`), NO_FORM)

    expect(agent.id).toBe('agent-alice')
  })

  test('ends the id at the first colon, so that a secret may have one that is not encoded', async () => {
    await using world = await setUp()
    await world.storage.clientSecrets.insert(
      makeClientSecret({ id: 'odd', secretHash: hashSecret('a:b:c') }),
    )

    const agent = await world.authenticate(basic('agent-alice:a:b:c'), NO_FORM)

    expect(agent.id).toBe('agent-alice')
  })

  test('takes the scheme in any case, and client_id repeated in the body', async () => {
    await using world = await setUp()
    const header = basic('agent-alice:secret+of+agent-alice').replace('Basic', 'bASIC')

    const agent = await world.authenticate(header, new Map([['client_id', 'agent-alice']]))

    expect(agent.id).toBe('agent-alice')
  })

  test('refuses the header and client_secret together', async () => {
    await using world = await setUp()
    const header = basic('agent-alice:secret+of+agent-alice')

    const answer = world.authenticate(header, post('agent-alice', 'secret of agent-alice'))

    await expect(answer).rejects.toMatchObject({ code: 'invalid_request', status: 400 })
  })

  test('refuses a client_id in the body that differs from the header', async () => {
    // Attack: Alice authenticates as herself and names Bob, hoping that a later step reads the body.
    await using world = await setUp()
    const header = basic('agent-alice:secret+of+agent-alice')

    const answer = world.authenticate(header, new Map([['client_id', 'agent-bob']]))

    await expect(answer).rejects.toMatchObject({ code: 'invalid_request', status: 400 })
  })

  test.each([
    ['no header and no form', undefined, NO_FORM],
    ['a client_id alone', undefined, new Map([['client_id', 'agent-alice']])],
    ['a client_secret alone', undefined, new Map([['client_secret', 'secret of agent-alice']])],
    ['another scheme', 'Bearer abc', NO_FORM],
    ['an empty header', '', NO_FORM],
    ['a scheme alone', 'Basic', NO_FORM],
    ['a scheme and spaces', 'Basic   ', NO_FORM],
    ['what is not base64', 'Basic agent-alice:secret', NO_FORM],
    ['base64 for URLs', 'Basic YS1_Yg--', NO_FORM],
    ['two values', `${basic('a:b')}, ${basic('c:d')}`, NO_FORM],
    ['no colon', basic('agent-alice'), NO_FORM],
    ['no id', basic(':secret'), NO_FORM],
    ['no secret', basic('agent-alice:'), NO_FORM],
    ['a broken percent encoding of the id', basic('agent%ZZ:secret'), NO_FORM],
    ['a broken percent encoding of the secret', basic('agent-alice:%'), NO_FORM],
    ['a percent encoding that is not UTF-8', basic('agent-alice:%FF'), NO_FORM],
  ])('answers 401 with a challenge to %s', async (_, header, form) => {
    await using world = await setUp()

    const answer = world.authenticate(header, form)

    await expect(answer).rejects.toMatchObject({
      code: 'invalid_client',
      status: 401,
      headers: { 'www-authenticate': 'Basic realm="deputy"' },
    })
  })

  test.each([
    ['an unknown client', 'agent-nobody', 'secret of agent-alice'],
    ['a wrong secret', 'agent-alice', 'wrong'],
    ['an inactive client', 'agent-carol', 'secret of agent-carol'],
    ['the secret of another client', 'agent-alice', 'secret of agent-bob'],
    ['the hash of the secret', 'agent-alice', hashSecret('secret of agent-alice').toString()],
    ['an id in another case', 'Agent-Alice', 'secret of agent-alice'],
    ['an id with a NUL', 'agent-alice\0', 'secret of agent-alice'],
  ])('answers %s like every other, by both methods', async (_, id, secret) => {
    // Attack: telling the answers apart finds out which agents there are.
    await using world = await setUp()
    const header = basic(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)

    const byBasic = world.authenticate(header, NO_FORM)
    const byPost = world.authenticate(undefined, post(id, secret))

    await expect(byBasic).rejects.toMatchObject(REFUSED)
    await expect(byPost).rejects.toMatchObject(REFUSED)
  })

  test('takes both secrets during a rotation, and the second after the first has ended', async () => {
    await using world = await setUp()
    const { record, secret } = createClientSecret(ALICE)
    await world.storage.clientSecrets.insert(record)

    const byOld = await world.authenticate(undefined, post('agent-alice', 'secret of agent-alice'))
    const byNew = await world.authenticate(undefined, post('agent-alice', secret))
    await world.storage.clientSecrets.deactivate(
      { id: 'agent-alice-1', within: EVERY_OWNER },
      START_AT,
    )
    const afterwards = await world.authenticate(undefined, post('agent-alice', secret))
    const ended = world.authenticate(undefined, post('agent-alice', 'secret of agent-alice'))

    expect([byOld.id, byNew.id, afterwards.id]).toEqual(Array(3).fill('agent-alice'))
    await expect(ended).rejects.toMatchObject(REFUSED)
  })

  test('takes a secret until the second in which it expires', async () => {
    await using world = await setUp()
    const { record, secret } = createClientSecret({ ...ALICE, expiresAt: START_AT + 10 })
    await world.storage.clientSecrets.insert(record)

    world.clock.set(START_AT + 9)
    const before = await world.authenticate(undefined, post('agent-alice', secret))
    world.clock.set(START_AT + 10)
    const after = world.authenticate(undefined, post('agent-alice', secret))

    expect(before.id).toBe('agent-alice')
    await expect(after).rejects.toMatchObject(REFUSED)
  })

  test('notes the last use of the secret that was used', async () => {
    await using world = await setUp()
    const { record, secret } = createClientSecret({ ...ALICE, now: START_AT + 1 })
    await world.storage.clientSecrets.insert(record)
    world.clock.set(START_AT + 5)

    await world.authenticate(undefined, post('agent-alice', secret))

    await world.uses.flush()
    const secrets = await world.storage.clientSecrets.listByAgent('agent-alice', EVERY_OWNER)
    expect(secrets.map(({ lastUsedAt }) => lastUsedAt)).toEqual([START_AT + 5, undefined])
  })

  test('notes no use when the client is refused', async () => {
    await using world = await setUp()

    await world
      .authenticate(undefined, post('agent-carol', 'secret of agent-carol'))
      .catch(() => undefined)

    await world.uses.flush()
    const [secret] = await world.storage.clientSecrets.listByAgent('agent-carol', EVERY_OWNER)
    expect(secret?.lastUsedAt).toBeUndefined()
  })
})

describe('createClientSecret', () => {
  test('makes a secret of the form that scanners know, and keeps its hash only', () => {
    const { record, secret } = createClientSecret(ALICE)

    expect(isAgentSecret(secret, 'clientSecret')).toBe(true)
    expect(record.secretHash).toEqual(hashSecret(secret))
    expect(JSON.stringify(record)).not.toContain(secret)
  })

  test('never makes the same secret or the same id twice', () => {
    const made = Array.from({ length: 100 }, () => createClientSecret(ALICE))

    expect(new Set(made.map(({ secret }) => secret)).size).toBe(100)
    expect(new Set(made.map(({ record }) => record.id)).size).toBe(100)
  })
})

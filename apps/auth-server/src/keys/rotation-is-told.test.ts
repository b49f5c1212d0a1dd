// A rotation is told on the feed, so that verifiers have the new key before they meet it.
import { createIssuerAuthenticator } from '@deputy/auth'
import { SIGNING_KEYS_CHANGE_ID } from '@deputy/auth/protocol'
import { createLogger } from '@deputy/serve'
import { describe, expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { connectAdmin, enrollCast } from '../../test-support/admin-client.ts'
import { startAuthServer } from '../../test-support/auth-server.ts'
import { START_AT } from '../../test-support/clock.ts'
import { getToken } from '../../test-support/oauth-request.ts'
import { openTestKeyRing } from '../../test-support/signing-keys.ts'
import { createStorage, STORAGE_ADAPTERS } from '../../test-support/storage-adapters.ts'
import { noteChange } from '../revocation/note-change.ts'
import { openRevocationFeed } from '../revocation/revocation-feed.ts'

/** The same token under another key id. */
function forge(token: string, kid: string): string {
  const [, payload, signature] = token.split('.')
  const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid }))
  return [header.toString('base64url'), payload, signature].join('.')
}

test('tokens of new keys are taken as soon as the feed has told of them, whatever flood there is', async () => {
  // Attack: tokens with made-up key ids, again and again. After keys were thrown away, the agent had nothing left to look for
  // the new one with, and refused every new token for half a minute.
  await using server = await startAuthServer()
  await using admin = connectAdmin(server)
  const { alice, bob } = await enrollCast(admin)
  const following = Promise.withResolvers<void>()
  await using authenticator = createIssuerAuthenticator({
    issuer: server.issuer,
    agentId: bob.id,
    clientSecret: bob.secret,
    clock: server.clock,
    revocation: { onChange: ({ state }) => state === 'following' && following.resolve() },
  })
  const isTaken = async (token: string): Promise<boolean> =>
    (
      await authenticator.authenticate((name) =>
        name === 'authorization' ? `Bearer ${token}` : undefined,
      )
    ).ok
  await following.promise
  const old = await getToken(server, alice)
  expect(await isTaken(old)).toBe(true)
  for (let n = 0; n < 20; n += 1) await isTaken(forge(old, `made-up-${String(n)}`))

  await admin.signingKeys.rotate.mutate({ immediately: true })

  const token = await getToken(server, alice)
  // The clock of the agent stands still: time brings no new look.
  await expect.poll(async () => isTaken(token)).toBe(true)
  expect(await isTaken(old)).toBe(false)
})

describe.each(STORAGE_ADAPTERS)('a server on $name', (adapter) => {
  test('has the keys of a rotation elsewhere before it tells of it', async () => {
    await using storage = await createStorage(adapter)
    const clock = createSettableClock()
    const here = await openTestKeyRing({ store: storage.signingKeys, clock })
    const there = await openTestKeyRing({ store: storage.signingKeys, clock })
    await using feed = await openRevocationFeed({
      revocations: storage.revocations,
      signal: storage.revocationSignal,
      clock,
      logger: createLogger({ name: 'auth-server', level: 'silent' }),
      beforeTelling: async () => here.reload(),
    })
    const closing = new AbortController()
    const events = feed.follow({ after: await storage.revocations.head(), signal: closing.signal })

    await there.rotate({ immediately: true })
    await storage.act(async (stores) => noteChange(stores, SIGNING_KEYS_CHANGE_ID, START_AT))

    for await (const event of events) {
      if (event.type !== 'revoked') continue
      expect(event.entries).toMatchObject([{ kind: 'change', id: SIGNING_KEYS_CHANGE_ID }])
      break
    }
    expect(here.signer().kid).toBe(there.signer().kid)
    closing.abort()
  })

  test('tells all the same when it cannot follow itself', async () => {
    await using storage = await createStorage(adapter)
    const clock = createSettableClock()
    await using feed = await openRevocationFeed({
      revocations: storage.revocations,
      signal: storage.revocationSignal,
      clock,
      logger: createLogger({ name: 'auth-server', level: 'silent' }),
      beforeTelling: async () => Promise.reject(new Error('the sealing key is another one')),
    })
    const closing = new AbortController()
    await storage.act(async (stores) => noteChange(stores, SIGNING_KEYS_CHANGE_ID, START_AT))

    const events = feed.follow({ after: undefined, signal: closing.signal })

    const told = await events.next()
    expect(told.value).toMatchObject({ entries: [{ id: SIGNING_KEYS_CHANGE_ID }] })
    closing.abort()
  })
})

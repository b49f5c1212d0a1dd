// The disk of the authorization server is full, for real: a small file system of its own, with something else
// on it that takes all the room. Needs the right to mount one (CI has it); skipped, visibly, without.
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import {
  connectAdmin,
  enrollCast,
  readRefusal,
} from '../../apps/auth-server/test-support/admin-client.ts'
import { createPlace, startAt } from '../../apps/auth-server/test-support/auth-server.ts'
import {
  getToken,
  introspect,
  postToken,
  readOAuthError,
  revoke,
} from '../../apps/auth-server/test-support/oauth-request.ts'
import { createSmallDisk, isMountAllowed } from '../support/small-disk.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const UNAVAILABLE = { status: 503, error: 'temporarily_unavailable' }

/** A server whose database is on a disk that can be filled. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const disk = stack.use(await createSmallDisk(folder.file('disk'), 8))
  const place = { ...(await createPlace(folder.path)), databaseFile: disk.file('auth.sqlite') }
  const rateLimitTiers = { standard: null }
  const server = stack.use(await startAt(place, { rateLimitTiers }))
  const admin = stack.use(connectAdmin(server))
  const cast = await enrollCast(admin)
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { server, admin, disk, ...cast, [Symbol.asyncDispose]: close }
}

describe.skipIf(!isMountAllowed())('an authorization server whose disk is full', () => {
  test('refuses what it cannot write down, does nothing by halves, and goes on when there is room', async () => {
    await using world = await setUp()
    const { admin, alice, bob, disk, server } = world
    const earlier = await getToken(server, alice)
    await disk.fill()

    // What is left in the pages of the log is used up first.
    const answers = [await postToken(server, alice)]
    while (answers.at(-1)?.status === 200 && answers.length < 10_000)
      answers.push(await postToken(server, alice))
    const refused = answers.at(-1)
    const during = [
      refused,
      await revoke(server, alice, earlier),
      await postToken(server, { id: alice.id, secret: 'wrong' }),
    ]
    const stillGood = await introspect(server, bob, earlier)
    const act = admin.agents.create.mutate({ id: 'agent-new', name: 'New' })
    expect(await readRefusal(act)).toMatchObject({ status: 503, code: 'store_unavailable' })
    await disk.makeRoom()
    const after = await postToken(server, alice)
    const ended = await revoke(server, alice, earlier)

    for (const answer of during) {
      expect(answer === undefined ? answer : readOAuthError(answer)).toEqual(UNAVAILABLE)
      expect(answer?.headers.get('retry-after')).toBe('5')
    }
    expect(stillGood.body).toMatchObject({ active: true })
    expect([after.status, ended.status]).toEqual([200, 200])
    expect((await introspect(server, bob, earlier)).body).toEqual({ active: false })
    await expect(admin.agents.get.query({ id: 'agent-new' })).rejects.toThrow(/no agent/)
    await admin.agents.create.mutate({ id: 'agent-new', name: 'New' })
    // Each token that was handed out is on the trail, and no other.
    const handedOut = [...answers, after].filter(({ status }) => status === 200)
    const ids = handedOut.map(({ body }) => decodeJwt(String(body['access_token'])).jti)
    const { entries } = await admin.audit.list.query({ actorId: alice.id, limit: 200 })
    const onTrail = entries.flatMap(({ event, tokenId }) =>
      event === 'token.issued' ? tokenId : [],
    )
    expect(new Set(onTrail)).toEqual(new Set([decodeJwt(earlier).jti, ...ids]))
    expect(await admin.audit.verify.query()).toMatchObject({ ok: true })
  })
})

import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { connectAdmin, readRefusal } from '../../test-support/admin-client.ts'
import { createPlace, startAt } from '../../test-support/auth-server.ts'
import { openTestKeyRing } from '../../test-support/signing-keys.ts'
import { openStorage } from '../storage/open-storage.ts'
import { DEFAULT_ROTATE_EVERY_SECONDS, PUBLISH_SECONDS } from './key-schedule.ts'
import type { Rotated } from './rotation.ts'

test('a rotation that was due is on the audit trail, and says that nobody asked for it', async () => {
  await using folder = await createTemporaryFolder()
  const place = await createPlace(folder.path)
  const clock = createSettableClock()
  await (await startAt(place, { clock })).close()
  clock.advance(DEFAULT_ROTATE_EVERY_SECONDS)
  await using server = await startAt(place, { clock })
  await using operator = connectAdmin(server)

  const { entries } = await operator.audit.list.query({ event: 'signing_key.rotated' })
  const { signingKeys } = await operator.signingKeys.list.query()

  const kidOf = (state: string) => signingKeys.find((key) => key.state === state)?.kid
  expect(entries).toHaveLength(1)
  expect(entries[0]).toMatchObject({
    outcome: 'success',
    reason: 'scheduled',
    target: { kind: 'signing_key', id: kidOf('active') },
    details: { formerKid: kidOf('retired') },
  })
  expect(entries[0]?.actorId).toBeUndefined()
})

test.each([{ immediately: false }, { immediately: true }])(
  'a rotation that was asked for and cannot be written down does not take place (%o)',
  async (how) => {
    await using folder = await createTemporaryFolder()
    const place = await createPlace(folder.path)
    await using server = await startAt(place)
    await using operator = connectAdmin(server)
    const before = await operator.signingKeys.list.query()
    server.clock.advance(PUBLISH_SECONDS)
    using database = new DatabaseSync(place.databaseFile)
    database.exec(`create trigger refuse before insert on audit_entry
      when new.event = 'signing_key.rotated' begin select raise(abort, 'not now'); end`)

    const refusal = await readRefusal(operator.signingKeys.rotate.mutate(how))
    database.exec('drop trigger refuse')

    expect(refusal.status).toBe(500)
    expect(await operator.signingKeys.list.query()).toEqual(before)
    await operator.signingKeys.rotate.mutate(how)
    const { entries } = await operator.audit.list.query({ event: 'signing_key.rotated' })
    expect(entries).toHaveLength(1)
  },
)

test('of several servers on one store, the one that rotated says so, once', async () => {
  await using storage = await openStorage({ file: ':memory:' })
  const clock = createSettableClock()
  const recorded: Rotated[] = []
  const open = async () =>
    openTestKeyRing({
      store: storage.signingKeys,
      clock,
      async commitScheduled(change, rotated) {
        const isDone = await change(storage.signingKeys)
        if (isDone) recorded.push(rotated)
        return isDone
      },
    })
  const rings = [await open(), await open(), await open()]
  const formerKid = rings[0]?.signer().kid
  clock.advance(DEFAULT_ROTATE_EVERY_SECONDS)

  await Promise.all(rings.map(async (ring) => ring.tick()))

  const activeKid = rings[0]?.signer().kid
  expect(recorded).toEqual([{ activeKid, formerKid, nextKid: expect.any(String) }])
})

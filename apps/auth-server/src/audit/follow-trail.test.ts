import { expect, test } from 'vitest'
import { makeAuditEvent, recordEach } from '../../test-support/audit.ts'
import { EVERY_OWNER, type Tenancy } from '../owners/tenancy.ts'
import { openStorage, type Storage } from '../storage/open-storage.ts'
import { followTrail } from './follow-trail.ts'

/** Follows until so many entries have come, and answers the ids of their tokens and the last entry's. */
async function take(
  storage: Storage,
  count: number,
  from: { readonly afterId: number; readonly within?: Tenancy },
) {
  const abort = new AbortController()
  const tokens: (string | undefined)[] = []
  let lastId = from.afterId
  const within = from.within ?? EVERY_OWNER
  const filter = { event: 'token.issued' } as const
  const { afterId } = from
  for await (const entry of followTrail(storage.audit, {
    within,
    filter,
    afterId,
    signal: abort.signal,
  })) {
    tokens.push(entry.tokenId)
    lastId = entry.id
    if (tokens.length === count) abort.abort()
  }
  return { tokens, lastId }
}

test('follows what is written while it listens, and goes on after the last entry without loss', async () => {
  await using storage = await openStorage({ file: ':memory:' })
  await recordEach(storage.audit, [{ tokenId: 'one' }, { tokenId: 'two' }])

  const first = await take(storage, 1, { afterId: 0 })
  const rest = take(storage, 3, { afterId: first.lastId })
  await recordEach(storage.audit, [{ tokenId: 'three' }, { tokenId: 'four' }])

  expect(first.tokens).toEqual(['one'])
  expect((await rest).tokens).toEqual(['two', 'three', 'four'])
})

test("shows an owner nothing of another's", async () => {
  await using storage = await openStorage({ file: ':memory:' })
  await storage.audit.record(makeAuditEvent({ ownerId: 'rival', tokenId: 'theirs' }))
  await storage.audit.record(makeAuditEvent({ ownerId: 'acme', tokenId: 'ours' }))

  const seen = await take(storage, 1, { afterId: 0, within: 'acme' })

  expect(seen.tokens).toEqual(['ours'])
})

test('ends when the listener goes away, with nothing to wait for', async () => {
  await using storage = await openStorage({ file: ':memory:' })
  const abort = new AbortController()
  const entries = followTrail(storage.audit, {
    within: EVERY_OWNER,
    filter: {},
    afterId: 0,
    signal: abort.signal,
  })
  const next = entries.next()

  abort.abort()

  expect(await next).toEqual({ done: true, value: undefined })
})

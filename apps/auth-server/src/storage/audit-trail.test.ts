import { describe, expect, test } from 'vitest'
import { makeAuditEvent, readAll, recordEach } from '../../test-support/audit.ts'
import { START_AT } from '../../test-support/clock.ts'
import {
  createStorage,
  makeAgent,
  makeClientSecret,
  STORAGE_ADAPTERS,
} from '../../test-support/storage-adapters.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { verifyChains } from '../audit/verify-chain.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'

describe.each(STORAGE_ADAPTERS)('AuditTrail on $name: what is written', (adapter) => {
  test('keeps every member of an event, with its time', async () => {
    await using storage = await createStorage(adapter, createSettableClock())
    const event = makeAuditEvent({
      event: 'agent.updated',
      reason: 'asked_to',
      subjectId: 'agent-bob',
      target: { kind: 'agent', id: 'agent-carol' },
      audience: 'agent-dave',
      scope: 'notes:read notes:write',
      credentialId: 'secret-1',
      tokenId: 'token-1',
      grantId: 'grant-1',
      correlationId: 'correlation-1',
      traceId: 'trace-1',
      address: '192.0.2.1',
      details: { changed: 'name “description”', empty: '' },
    })

    await storage.audit.record(event)

    const [entry] = await readAll(storage.audit)
    expect(entry).toMatchObject({ ...event, at: START_AT, seq: 2 })
    expect(await storage.audit.find(entry?.id ?? 0, EVERY_OWNER)).toEqual(entry)
  })

  test('keeps an event that says as little as it may', async () => {
    await using storage = await createStorage(adapter)

    await storage.audit.record({ event: 'rate_limit.exceeded', outcome: 'refused' })

    expect(await readAll(storage.audit)).toMatchObject([
      { event: 'rate_limit.exceeded', outcome: 'refused' },
    ])
    expect(await verifyChains(storage.audit)).toMatchObject({ ok: true })
  })

  test('has an entry on disk when its record is done', async () => {
    await using place = await adapter.createPlace()
    await using storage = await place.open()
    await using other = await place.open()

    await storage.audit.record(makeAuditEvent())

    expect(await readAll(other.audit)).toHaveLength(1)
  })

  test('keeps 500 that are recorded at once, each once, in chains without a gap', async () => {
    await using storage = await createStorage(adapter)
    const ids = Array.from({ length: 500 }, (_, i) => `token-${String(i)}`)

    await Promise.all(ids.map(async (tokenId) => storage.audit.record(makeAuditEvent({ tokenId }))))

    const entries = await readAll(storage.audit)
    expect(entries).toHaveLength(500)
    expect(new Set(entries.map(({ tokenId }) => tokenId))).toEqual(new Set(ids))
    expect(await verifyChains(storage.audit)).toMatchObject({ ok: true, value: { entries: 501 } })
  })

  test('chains those of two servers on one database apart', async () => {
    await using place = await adapter.createPlace()
    await using one = await place.open()
    await using two = await place.open()

    for (let i = 0; i < 20; i += 1) {
      await Promise.all([one, two].map(async ({ audit }) => audit.record(makeAuditEvent())))
    }

    const verified = await verifyChains(one.audit)
    expect(verified).toMatchObject({ ok: true, value: { entries: 42 } })
    const entries = await readAll(one.audit)
    expect(new Set(entries.map(({ writerId }) => writerId)).size).toBe(2)
  })

  test('survives characters that a database cannot give back', async () => {
    // Attack: a caller sends a client id that makes the entry about its refusal fail.
    await using storage = await createStorage(adapter)

    await storage.audit.record(
      makeAuditEvent({ actorId: 'a\0b\uD800c', details: { '\0': '\uDC00' } }),
    )

    expect(await readAll(storage.audit)).toMatchObject([
      { actorId: 'a\uFFFDb\uFFFDc', details: { '\uFFFD': '\uFFFD' } },
    ])
    expect(await verifyChains(storage.audit)).toMatchObject({ ok: true })
  })
})

describe.each(STORAGE_ADAPTERS)('an act on $name', (adapter) => {
  test('is kept together with its entries', async () => {
    await using storage = await createStorage(adapter)

    await storage.act(async (stores, note) => {
      await stores.agents.insert(makeAgent())
      note(makeAuditEvent({ event: 'agent.created' }))
      note(makeAuditEvent({ event: 'client_secret.created' }))
    })

    const entries = await readAll(storage.audit)
    expect(entries.map(({ event }) => event)).toEqual(['agent.created', 'client_secret.created'])
  })

  test('leaves neither its writes nor its entries when it fails', async () => {
    await using storage = await createStorage(adapter)

    const act = storage.act(async (stores, note) => {
      note(makeAuditEvent({ event: 'agent.created' }))
      await stores.agents.insert(makeAgent())
      throw new Error('half way')
    })

    await expect(act).rejects.toThrow('half way')
    expect(await storage.clients.find('agent-alice')).toBeUndefined()
    expect(await storage.audit.newestId()).toBe(0)
  })

  test('that fails among others takes nothing of theirs with it', async () => {
    await using storage = await createStorage(adapter)
    await storage.agents.insert(makeAgent())
    const acts = Array.from({ length: 30 }, async (_, i) =>
      storage.act(async (stores, note) => {
        const id = `secret-${String(i)}`
        await stores.clientSecrets.insert(makeClientSecret({ id }))
        note(makeAuditEvent({ event: 'client_secret.created', credentialId: id }))
        if (i % 3 === 0) throw new Error('half way')
      }),
    )
    const records = Array.from({ length: 30 }, async () => storage.audit.record(makeAuditEvent()))

    const ends = await Promise.allSettled([...acts, ...records])

    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(10)
    const entries = await readAll(storage.audit)
    const created = entries.flatMap(({ credentialId }) => credentialId ?? [])
    const secrets = await storage.clientSecrets.listByAgent('agent-alice', EVERY_OWNER)
    expect(created.toSorted()).toEqual(secrets.map(({ id }) => id).toSorted())
    expect(entries).toHaveLength(50)
    expect(await verifyChains(storage.audit)).toMatchObject({ ok: true, value: { entries: 51 } })
  })

  test('without an entry writes none', async () => {
    await using storage = await createStorage(adapter)

    await storage.act(async (stores) => stores.agents.insert(makeAgent()))

    expect(await storage.audit.newestId()).toBe(0)
  })
})

describe.each(STORAGE_ADAPTERS)('AuditTrail on $name: writers', (adapter) => {
  test('name the heads that no one has named when they start', async () => {
    await using place = await adapter.createPlace()
    for (let i = 0; i < 3; i += 1) {
      await using storage = await place.open()
      await recordEach(storage.audit, [{}, {}])
    }
    await using storage = await place.open()

    const { entries } = await storage.audit.list({
      within: EVERY_OWNER,
      filter: { event: 'writer.started' },
      limit: 10,
    })

    const named = entries.toReversed().map(({ details }) => Object.keys(details ?? {}))
    const writers = entries.toReversed().map(({ writerId }) => writerId)
    expect(named).toEqual([[], [writers[0]], [writers[1]]])
  })
})

import { sql } from 'kysely'
import { openDatabase } from '@deputy/storage'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { makeAuditEvent, recordEach } from '../../test-support/audit.ts'
import { openStorage } from '../storage/open-storage.ts'
import { migrations } from '../storage/migrations.ts'
import type { Tables } from '../storage/tables.ts'
import type { AuditSelection } from './audit-trail.ts'
import type { ChainSource } from './chain-source.ts'
import { exportTrail, verifyExport } from './export-trail.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { verifyChains } from './verify-chain.ts'

const EVERYTHING: AuditSelection = { within: EVERY_OWNER, filter: {} }

/** A trail of ten entries of one writer and its start, and a way into its database. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const file = folder.file('test.sqlite')
  const storage = stack.use(await openStorage({ file }))
  const database = stack.use(await openDatabase<Tables>({ file, migrations }))
  await recordEach(
    storage.audit,
    Array.from({ length: 10 }, (_, index) => ({
      tokenId: `token-${String(index)}`,
      scope: 'notes:read',
      details: { index: String(index) },
    })),
  )
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  return { storage, db: database.db, [Symbol.asyncDispose]: close }
}

test('stops when nobody waits for the verdict any more', async () => {
  await using world = await setUp()
  const { audit } = world.storage
  const caller = new AbortController()
  let pages = 0
  const source: ChainSource = {
    ...audit,
    async listLinks(page) {
      pages += 1
      if (pages === 2) caller.abort(new Error('the caller gave up'))
      return audit.listLinks(page)
    },
  }

  const verified = verifyChains(source, { pageSize: 1, signal: caller.signal })

  await expect(verified).rejects.toThrow('the caller gave up')
  expect(pages).toBe(2)
})

test('finds any single change to any column of any entry', async () => {
  // Attack: who can write to the database makes an entry say something else.
  await using world = await setUp()
  const columns = [
    'writer_id',
    'seq',
    'prev_hash',
    'hash',
    'at',
    'event',
    'outcome',
    'reason',
    'owner_id',
    'actor_id',
    'subject_id',
    'target_kind',
    'target_id',
    'audience',
    'scope',
    'credential_id',
    'token_id',
    'grant_id',
    'correlation_id',
    'trace_id',
    'address',
    'details',
  ] as const
  const change = fc.record({
    column: fc.constantFrom(...columns),
    seq: fc.integer({ min: 1, max: 11 }),
    value: fc.oneof(fc.string(), fc.integer({ min: 100, max: 10_000 })),
  })
  const isText = (column: string): boolean => column !== 'seq' && column !== 'at'

  await fc.assert(
    fc.asyncProperty(change, async ({ column, seq, value }) => {
      const changed = isText(column) ? `${String(value)}!` : 100 + String(value).length
      const row = await sql<Record<string, unknown>>`
        select * from audit_entry where seq = ${seq}`.execute(world.db)
      await sql`update audit_entry set ${sql.ref(column)} = ${changed} where seq = ${seq}`.execute(
        world.db,
      )

      const verdict = await verifyChains(world.storage.audit)

      await sql`update audit_entry set ${sql.ref(column)} = ${row.rows[0]?.[column] ?? null}
        where id = ${row.rows[0]?.['id']}`.execute(world.db)
      expect(verdict.ok).toBe(false)
    }),
    { numRuns: 200 },
  )

  expect((await verifyChains(world.storage.audit)).ok).toBe(true)
})

test.each([
  { name: 'an entry taken out', statement: sql`delete from audit_entry where seq = 5`, seq: 5 },
  {
    name: 'the first entries taken away',
    statement: sql`delete from audit_entry where seq < 4`,
    seq: 1,
  },
  {
    name: 'two entries in each other’s place',
    statement: sql`update audit_entry set seq = case seq when 5 then 6 else 5 end
      where seq in (5, 6) and (select count(*) from audit_entry) > 0`,
    seq: 5,
  },
])('names the first broken place: $name', async ({ name, seq, statement }) => {
  await using world = await setUp()
  if (name.startsWith('two')) {
    await sql`update audit_entry set seq = -seq where seq in (5, 6)`.execute(world.db)
    await sql`update audit_entry set seq = 11 + seq where seq in (-5, -6)`.execute(world.db)
  } else await statement.execute(world.db)

  const verdict = await verifyChains(world.storage.audit)

  expect(verdict).toMatchObject({ ok: false, refusal: { seq } })
})

test('notices at the next start that the end was cut off', async () => {
  // Attack: what was done last is what is taken away.
  await using folder = await createTemporaryFolder()
  const file = folder.file('test.sqlite')
  const first = await openStorage({ file })
  await recordEach(first.audit, [{}, {}, {}])
  await first.close()
  const second = await openStorage({ file })
  await second.audit.record(makeAuditEvent())
  await using database = await openDatabase<Tables>({ file, migrations })
  await sql`delete from audit_entry where seq = 4`.execute(database.db)

  const verdict = await verifyChains(second.audit)
  await second.close()

  expect(verdict).toMatchObject({ ok: false, refusal: { seq: 4, fault: 'end_missing' } })
})

test('exports lines that verify without the database, and not after a change', async () => {
  await using world = await setUp()
  const lines: string[] = []
  for await (const line of exportTrail(world.storage.audit, EVERYTHING)) lines.push(line)
  const forged = lines.map((line) => line.replace('token-3', 'token-x'))

  const whole = await verifyExport(lines)
  const changed = await verifyExport(forged)
  const cut = await verifyExport(lines.toSpliced(4, 1))

  expect(whole).toMatchObject({ ok: true, value: { entries: 11 } })
  expect(changed).toMatchObject({ ok: false, refusal: { fault: 'entry_altered' } })
  expect(cut).toMatchObject({ ok: false, refusal: { fault: 'entries_missing' } })
})

test('chains the entries of many that record at once, each once', async () => {
  await using world = await setUp()

  await Promise.all(
    Array.from({ length: 500 }, async (_, index) =>
      world.storage.audit.record(makeAuditEvent({ tokenId: `many-${String(index)}` })),
    ),
  )

  expect(await verifyChains(world.storage.audit)).toMatchObject({
    ok: true,
    value: { entries: 511 },
  })
})

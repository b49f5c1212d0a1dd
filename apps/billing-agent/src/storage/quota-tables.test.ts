// The database itself keeps quotas and usage, whatever code there is above it, on SQLite and on PostgreSQL.
import { openDatabase } from '@deputy/storage'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { ALICE, callBy, createBillingWorld } from '../../test-support/billing-world.ts'
import { BILLING_ADAPTERS, type BillingAdapter } from '../../test-support/databases.ts'
import { AUDITOR, quotaInput } from '../../test-support/quota-input.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

async function open(adapter: BillingAdapter) {
  await using stack = new AsyncDisposableStack()
  const { location } = stack.use(await adapter.open())
  const world = stack.use(await createBillingWorld(location))
  await world.deposit(ALICE, 100)
  await world.service.quotas.set(AUDITOR, quotaInput(world.key(), { cap: 20 }))
  await world.hold(ALICE)
  await world.service.usage.defineMeter(AUDITOR, {
    meter: 'research.search',
    aggregation: 'sum',
    description: 'searches',
    idempotencyKey: world.key(),
  })
  await world.service.usage.record(callBy(ALICE), {
    events: [{ kind: 'usage', eventId: 'one', meter: 'research.search', quantity: 3 }],
  })
  const database = stack.use(await openDatabase<Tables>({ ...location, migrations }))
  const resources = stack.move()
  return {
    world,
    run: async (statement: string) => sql.raw(statement).execute(database.db),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

const usageRow = (changes: Readonly<Record<string, string>>): string => {
  const columns =
    'source, event_id, owner_id, account, meter, quantity, happened_at, period_start, recorded_at, corrects, subject, credential_id'
  const values = columns.split(', ').map((column) => changes[column] ?? column)
  return `insert into usage_event (${columns}) select ${values.join(', ')} from usage_event`
}

describe.each(BILLING_ADAPTERS)('on $name, SQL refuses', (adapter) => {
  test.each([
    ['another cap by hand', `update quota set cap = 1000`, 'set by a version'],
    ['a cap that no version says', `update quota set cap = 9, version = 2`, 'set by a version'],
    [
      'another history of a cap',
      `update quota_version set cap = 1000`,
      'who set it and when is final',
    ],
    ['a history that is forgotten', `delete from quota_version`, 'who set it and when is final'],
    ['a quota that is removed', `delete from quota`, /is lifted, not removed|foreign key/i],
    ['a charge that is forgotten', `delete from quota_charge`, 'what was charged stays'],
    ['another amount', `update quota_charge set amount = 1`, 'a charge ends once'],
    [
      'a charge that moves to another month',
      `update quota_charge set period_start = 0, state = 'given_back'`,
      'a charge ends once',
    ],
    [
      'more captured than was held',
      `update quota_charge set state = 'used', used = 21`,
      'a charge ends once',
    ],
    [
      'a charge beyond the quota',
      `insert into quota_charge (source_id, quota_id, period_start, amount, state, is_bound)
        select 'x', quota_id, period_start, 1, 'held', 1 from quota_charge`,
      'a charge must fit',
    ],
    ['an event that is taken back', `delete from quota_event`, 'what was announced is final'],
    [
      'an event twice in a period',
      `insert into quota_event (quota_id, period_start, threshold, cap, spent, occurred_at, agent_id)
        select quota_id, period_start, threshold, cap, spent, occurred_at, agent_id from quota_event`,
      /unique|is final/i,
    ],
    ['usage that is changed', `update usage_event set quantity = 0`, 'events are final'],
    ['usage that is forgotten', `delete from usage_event`, 'events are final'],
    ['usage that is recorded twice', usageRow({}), /unique|are final/i],
    [
      'a correction of what belongs to somebody else',
      usageRow({ event_id: `'two'`, account: `'agent-bob-v1'`, corrects: 'sequence' }),
      'a correction is of an event',
    ],
    [
      'a correction that moves usage to another month',
      usageRow({ event_id: `'two'`, period_start: '0', corrects: 'sequence' }),
      'a correction is of an event',
    ],
    [
      'a meter that changes its meaning',
      `update meter set aggregation = 'max'`,
      'keeps its meaning',
    ],
  ])('%s', async (_what, statement, message) => {
    await using opened = await open(adapter)

    await expect(opened.run(statement)).rejects.toThrow(message)

    expect(await opened.world.verify()).toEqual([])
  })
})

test.each(BILLING_ADAPTERS)(
  'on $name, verify names a count that was set by hand',
  async (adapter) => {
    await using opened = await open(adapter)

    await opened.run(`update quota_use set held = 0`)

    expect(await opened.world.verify()).toEqual([
      expect.stringMatching(/^count_wrong .* 0, .* 20$/),
    ])
  },
)

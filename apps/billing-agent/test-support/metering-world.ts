// A book with meters and their prices, as tests of metering need it: two processes share it.
import type { RecordUsageInput } from '@deputy/contracts/billing'
import { ALICE, callBy, createBillingWorld, USD } from './billing-world.ts'
import type { BillingAdapter } from './databases.ts'
import { AUDITOR } from './quota-input.ts'

/** 2027-01-01 and 2027-02-01, UTC. */
export const JANUARY = 1_798_761_600
export const FEBRUARY = 1_801_440_000

const METERS = [
  { meter: 'research.search', aggregation: 'sum' },
  { meter: 'research.call', aggregation: 'count' },
  { meter: 'research.reader', aggregation: 'unique' },
  { meter: 'research.store', aggregation: 'max' },
] as const

type Usage = Extract<RecordUsageInput['events'][number], { kind: 'usage' }>
type Correction = Extract<RecordUsageInput['events'][number], { kind: 'correction' }>

/** Opens it on a database that is new: everything in it is ALICE's. */
export async function openMetering(adapter: BillingAdapter) {
  await using stack = new AsyncDisposableStack()
  const { location } = stack.use(await adapter.open())
  const world = stack.use(await createBillingWorld(location))
  const other = stack.use(await createBillingWorld(location))
  world.clock.set(JANUARY + 1000)
  const key = () => ({ idempotencyKey: world.key() })
  for (const meter of METERS) {
    await world.service.usage.defineMeter(AUDITOR, { ...meter, description: 'a test', ...key() })
  }
  await world.service.publishPrices(AUDITOR, {
    version: 'metered',
    prices: [
      ...METERS.map(({ meter }, place) => ({
        service: meter,
        baseMinor: place === 0 ? 100 : 0,
        unitPriceMinor: 10 ** place,
        currency: USD,
      })),
      { service: 'research.brief', baseMinor: 10, unitPriceMinor: 5, currency: USD },
    ],
    ...key(),
  })
  await world.deposit(ALICE, 1_000_000)
  const record = async (...events: RecordUsageInput['events']) =>
    world.service.usage.record(callBy(ALICE), { events })
  const report = async () =>
    world.service.usage.report(callBy(ALICE), { since: 0 }).then(({ months }) => months)
  const close = async () =>
    world.service.closeStatement(AUDITOR, { account: ALICE, currency: USD, ...key() })
  const resources = stack.move()
  return {
    world,
    other,
    record,
    report,
    close,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

/** An event. */
export const used = (eventId: string, quantity: number, changes: Partial<Usage> = {}): Usage => ({
  kind: 'usage',
  eventId,
  meter: 'research.search',
  quantity,
  ...changes,
})

/** A correction of one. */
export const corrected = (eventId: string, corrects: string, quantity: number): Correction => ({
  kind: 'correction',
  eventId,
  corrects,
  quantity,
  reason: 'counted wrongly',
})

import { expect, test } from 'vitest'
import { toSoakResults, type SoakSample, type SoakTotals } from './soak-results.ts'

const steady = { rssBytes: 100, heapBytes: 50, handles: 10 }
const totals: SoakTotals = {
  minutes: 1,
  sockets: 10,
  clients: 12,
  tokens: 20,
  events: 100,
  outOfOrder: 0,
  calls: 5,
  failedCalls: 0,
  lost: new Map([['WebSocket closed (1006)', 1]]),
  errors: [],
}

/** Samples of an agent of which one measure is what the test says, one after the other. */
const toSamples = (heaps: readonly number[]): readonly SoakSample[] =>
  heaps.map((heapBytes, at) => ({
    atMs: at * 1000,
    agent: { ...steady, heapBytes },
    clients: steady,
  }))

test('a soak in which nothing grows has no faults, whatever it took to warm up', () => {
  const { faults, ratios } = toSoakResults(
    toSamples([10, 20, 40, 50, 50, 50, 50, 50, 50, 50]),
    totals,
  )

  expect(faults).toEqual([])
  expect(ratios['soak_agent_heap_growth']).toBe(0)
})

test('what grows is a fault, with its side and its share', () => {
  const { faults } = toSoakResults(toSamples([50, 50, 50, 50, 50, 51, 52, 53, 54, 55]), totals)

  expect(faults).toEqual([expect.stringMatching(/^heap of the agent grew by \d+\.\d %$/)])
})

test.each([
  ['an event that came twice', { outOfOrder: 1 }, '1 events were lost or repeated'],
  ['a call that failed', { failedCalls: 1, errors: ['no'] }, '1 calls failed: no'],
  ['a subscription that ended', { errors: ['revoked'] }, 'subscriptions ended: revoked'],
  ['silence', { events: 0 }, 'no event came'],
])('%s is a fault', (_, changes, fault) => {
  const { faults } = toSoakResults(toSamples([50, 50, 50, 50, 50]), { ...totals, ...changes })

  expect(faults).toEqual([fault])
})

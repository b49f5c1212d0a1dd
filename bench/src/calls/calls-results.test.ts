import { expect, test } from 'vitest'
import type { Slices } from '../slices/run-slices.ts'
import { CONTESTANTS } from './contestants.ts'
import { toCallsResults, toCallsTables } from './calls-results.ts'

const NAMES = CONTESTANTS.flatMap(({ requests }) => requests.map(({ name }) => name))

/** What each answered in three slices of half a second: 100, 200 and 300 requests, or so many times as much. */
function measure(name: string, times = 1): Slices {
  const report = (answered: number): Slices['reports'][number] => ({
    answered: answered * times,
    answeredInAll: answered * times,
    refused: {},
    elapsedMs: 500,
    p50Ms: 1,
    p99Ms: 5,
    cpuMs: 100,
    sample: '',
  })
  return { name, reports: [report(100), report(200), report(300)], answeredInAll: 600 * times }
}

test('a rate is by the second, and is compared with that of the same slice', () => {
  const all = NAMES.map((name) => measure(name, name === 'deputy' ? 3 : 1))

  const { ratios, servers } = toCallsResults(all)

  expect(servers['bare']).toMatchObject({ perSecond: { median: 400 }, p50Ms: 1, p99Ms: 5 })
  expect(ratios['call_vs_trpc_standalone']).toBeCloseTo(3)
  expect(ratios['call_1m_vs_1k']).toBeCloseTo(1 / 3)
  expect(ratios['cold_vs_unauthenticated']).toBeCloseTo(1)
})

test('nobody wins by not having been measured', () => {
  const all = NAMES.filter((name) => name !== 'orpc').map((name) => measure(name))

  expect(() => toCallsResults(all)).toThrow('orpc was not measured')
})

test('the tables have a row for each server and each ratio', () => {
  const results = toCallsResults(NAMES.map((name) => measure(name)))

  const [servers = [], ratios = []] = toCallsTables(results)

  expect(servers.slice(1).map(([name]) => name)).toEqual(NAMES)
  expect(ratios.slice(1).map(([name]) => name)).toEqual(Object.keys(results.ratios))
})

import { expect, test } from 'vitest'
import type { LoadReport } from '../load/load-plan.ts'
import { formatTable } from '../report/table.ts'
import type { Slices } from '../slices/run-slices.ts'
import { toTokenTables } from './token-report.ts'
import { toTokenResults } from './token-results.ts'

function makeSlices(name: string, answered: readonly number[]): Slices {
  const report: Omit<LoadReport, 'answered'> = {
    answeredInAll: 0,
    refused: {},
    elapsedMs: 500,
    p50Ms: 4,
    p99Ms: 9,
    cpuMs: 100,
    sample: '',
  }
  return {
    name,
    answeredInAll: 0,
    reports: answered.map((count) => ({ ...report, answered: count })),
  }
}

const all = [
  makeSlices('deputy', [400, 200, 400]),
  makeSlices('deputy-1m', [360, 180, 440]),
  makeSlices('oidc-provider', [100, 50, 200]),
  makeSlices('node-oauth', [200, 100, 100]),
  makeSlices('bare', [500, 250, 500]),
]

test('the ratios are medians of the rounds, under the names that others read them by', () => {
  const { ratios, spread } = toTokenResults(all)

  expect(ratios).toEqual({
    issuance_vs_oidc_provider: 4,
    issuance_vs_bare: 0.8,
    issuance_vs_node_oauth: 2,
    issuance_1m_vs_1k_agents: 0.9,
  })
  expect(spread['issuance_vs_oidc_provider']).toEqual({ median: 4, p10: 2.4, p90: 4, count: 3 })
})

test('a rate is a number of tokens in a second', () => {
  const { servers } = toTokenResults(all)

  expect(servers['deputy']).toMatchObject({
    tokensPerSecond: { median: 800 },
    p50Ms: 4,
    p99Ms: 9,
    generatorCpu: 0.2,
  })
})

test('a server that was not measured has no ratio', () => {
  expect(() => toTokenResults(all.slice(1))).toThrow('deputy was not measured')
})

test('the tables have each server and each ratio', () => {
  const text = toTokenTables(toTokenResults(all)).map((table) => formatTable(table, 'text'))

  expect(text.join('')).toMatch(/^deputy +800 +480 to 800 +4\.0 +9\.0 +20 %$/m)
  expect(text.join('')).toMatch(/^issuance_vs_bare +0\.80 +0\.80 to 0\.80 +3$/m)
})

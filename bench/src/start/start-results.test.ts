import { expect, test } from 'vitest'
import { toStartResults } from './run-start-bench.ts'

test('a start is compared with those of its own round', () => {
  const times = new Map([
    ['deputy', [110, 220, 330]],
    ['deputy-source', [300, 300, 300]],
    ['trpc-standalone', [100, 200, 300]],
    ['bare', [55, 110, 165]],
  ])

  expect(toStartResults(times)).toMatchObject({
    ratios: { start_vs_trpc_standalone: expect.closeTo(1.1, 5) as number, start_vs_bare: 2 },
    servers: { deputy: { median: 220, count: 3 } },
  })
})

test('nobody wins by not having been measured', () => {
  expect(() => toStartResults(new Map([['deputy', [1]]]))).toThrow(RangeError)
})

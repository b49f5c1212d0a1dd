import { describe, expect, test } from 'vitest'
import type { LoadGenerator } from '../load/load-generator.ts'
import type { LoadPlan, LoadReport } from '../load/load-plan.ts'
import { runSlices, type Target } from './run-slices.ts'

const ok: LoadReport = {
  answered: 10,
  answeredInAll: 12,
  refused: {},
  elapsedMs: 1000,
  p50Ms: 1,
  p99Ms: 2,
  cpuMs: 100,
  sample: 'good',
}

/** A generator that answers without load, and remembers what it was asked. */
function createRecorder(answer: (plan: LoadPlan) => LoadReport) {
  const plans: LoadPlan[] = []
  const generator: LoadGenerator = {
    async run(plan) {
      plans.push(plan)
      return answer(plan)
    },
    async [Symbol.asyncDispose]() {},
  }
  return { plans, generator }
}

function makeTarget(name: string, port: number): Target {
  return {
    name,
    plan: { port, head: '', tail: '', linesFile: '' },
    checkSample(body) {
      if (body !== 'good') throw new TypeError('not the token that was asked for')
    },
  }
}

const options = {
  targets: [makeTarget('alice', 1), makeTarget('bob', 2), makeTarget('carol', 3)],
  slices: 4,
  connections: 64,
  times: { warmUpMs: 50, rampMs: 1, measureMs: 10, restMs: 0 },
  log: () => {},
}

describe('runSlices', () => {
  test('warms all up, then measures all in each round, in another order each time', async () => {
    const { generator, plans } = createRecorder(() => ok)

    await runSlices({ ...options, generator })

    const ports = plans.map(({ port }) => port)
    expect(ports).toEqual([1, 2, 3, 1, 2, 3, 2, 3, 1, 3, 1, 2, 3, 2, 1])
    expect(plans.map(({ measureMs }) => measureMs)).toEqual([
      ...Array<number>(3).fill(50),
      ...Array<number>(12).fill(10),
    ])
  })

  test('keeps the slices of each apart, and counts every answer to it', async () => {
    const { generator } = createRecorder(({ port }) => ({ ...ok, answered: port }))

    const all = await runSlices({ ...options, generator })

    expect(all.map(({ name, reports }) => [name, reports.map(({ answered }) => answered)])).toEqual(
      [
        ['alice', [1, 1, 1, 1]],
        ['bob', [2, 2, 2, 2]],
        ['carol', [3, 3, 3, 3]],
      ],
    )
    expect(all.map(({ answeredInAll }) => answeredInAll)).toEqual([60, 60, 60])
  })

  test.each([
    ['refuses one request of many', { refused: { 429: 1 } }, /bob .*1 times 429/],
    ['answers nothing', { answered: 0 }, /bob did not answer/],
    ['answers something else', { sample: 'bad' }, /not the token that was asked for/],
  ])('fails when a server %s: nobody wins by failing', async (_, flaw, message) => {
    const { generator } = createRecorder(({ port }) => (port === 2 ? { ...ok, ...flaw } : ok))

    await expect(runSlices({ ...options, generator })).rejects.toThrow(message)
  })
})

// Measures servers in slices of about a second, all in turn, so that what the machine does meanwhile
// meets each of them alike.
import { setTimeout as delay } from 'node:timers/promises'
import type { LoadGenerator } from '../load/load-generator.ts'
import type { LoadPlan, LoadReport } from '../load/load-plan.ts'
import { planRounds } from './plan-rounds.ts'

export type Target = {
  readonly name: string
  /** Throws when an answer is not the one that was asked for. */
  readonly checkSample: (body: string) => void
  readonly plan: Pick<LoadPlan, 'port' | 'head' | 'tail' | 'linesFile'>
}

export type SliceOptions = {
  readonly generator: LoadGenerator
  readonly targets: readonly Target[]
  readonly slices: number
  readonly connections: number
  readonly log: (line: string) => void
}

/** The slices of one server, in the order of the rounds. */
export type Slices = {
  readonly name: string
  readonly reports: readonly LoadReport[]
  /** Every answer, also those to the warm-up. */
  readonly answeredInAll: number
}

/** Long enough for V8 to have compiled what is hot and for each client to have been seen. */
const WARM_UP_MS = 5000
const RAMP_MS = 250
const MEASURE_MS = 1000
/** What a server does after its answers (writes that were put off) is not to meet the next one. */
const REST_MS = 100

/** Measures all. Rejects at the first answer that is not 200 or not the right one. */
export async function runSlices(options: SliceOptions): Promise<readonly Slices[]> {
  const { connections, generator, log, targets } = options
  const measured = targets.map((target) => ({ target, reports: new Array<LoadReport>() }))
  const answeredInAll = new Map<string, number>()

  async function run(target: Target, measureMs: number): Promise<LoadReport> {
    const plan = { ...target.plan, connections, rampMs: RAMP_MS, measureMs }
    const report = await generator.run(plan)
    const refused = Object.entries(report.refused)
    if (refused.length > 0 || report.answered === 0) {
      const found = refused.map(([status, count]) => `${String(count)} times ${status}`).join(', ')
      throw new Error(`${target.name} did not answer under load: ${found}`)
    }
    target.checkSample(report.sample)
    answeredInAll.set(target.name, (answeredInAll.get(target.name) ?? 0) + report.answeredInAll)
    await delay(REST_MS)
    return report
  }

  for (const { target } of measured) {
    log(`warming up ${target.name}`)
    await run(target, WARM_UP_MS)
  }
  for (const [round, order] of planRounds(measured, options.slices).entries()) {
    for (const { reports, target } of order) reports.push(await run(target, MEASURE_MS))
    log(`round ${String(round + 1)} of ${String(options.slices)}`)
  }
  return measured.map(({ reports, target: { name } }) => ({
    name,
    reports,
    answeredInAll: answeredInAll.get(name) ?? 0,
  }))
}

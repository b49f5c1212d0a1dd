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
  readonly plan: Pick<LoadPlan, 'port' | 'head' | 'tail' | 'linesFile' | 'protocol'>
}

export type SliceOptions = {
  readonly generator: LoadGenerator
  readonly targets: readonly Target[]
  readonly slices: number
  readonly connections: number
  readonly times?: SliceTimes | undefined
  readonly log: (line: string) => void
}

/** The slices of one server, in the order of the rounds. */
export type Slices = {
  readonly name: string
  readonly reports: readonly LoadReport[]
  /** Every answer, also those to the warm-up. */
  readonly answeredInAll: number
}

export type SliceTimes = {
  /** Long enough for V8 to have compiled what is hot and for each client to have been seen. */
  readonly warmUpMs: number
  /** Not counted: connections are being made. */
  readonly rampMs: number
  readonly measureMs: number
  /** Between two slices, for what a server does after its answers. */
  readonly restMs: number
}

const TIMES: SliceTimes = { warmUpMs: 5000, rampMs: 250, measureMs: 1000, restMs: 100 }

/** Measures all. Rejects at the first answer that is not 200 or not the right one. */
export async function runSlices(options: SliceOptions): Promise<readonly Slices[]> {
  const { connections, generator, log, targets, times = TIMES } = options
  const measured = targets.map((target) => ({ target, reports: new Array<LoadReport>() }))
  const answeredInAll = new Map<string, number>()

  async function run(target: Target, measureMs: number): Promise<LoadReport> {
    const plan = { ...target.plan, connections, rampMs: times.rampMs, measureMs }
    const report = await generator.run(plan)
    const refused = Object.entries(report.refused)
    if (refused.length > 0 || report.answered === 0) {
      const found = refused.map(([status, count]) => `${String(count)} times ${status}`).join(', ')
      throw new Error(`${target.name} did not answer under load: ${found}`)
    }
    target.checkSample(report.sample)
    answeredInAll.set(target.name, (answeredInAll.get(target.name) ?? 0) + report.answeredInAll)
    await delay(times.restMs)
    return report
  }

  for (const { target } of measured) {
    log(`warming up ${target.name}`)
    await run(target, times.warmUpMs)
  }
  for (const [round, order] of planRounds(measured, options.slices).entries()) {
    for (const { reports, target } of order) reports.push(await run(target, times.measureMs))
    log(`round ${String(round + 1)} of ${String(options.slices)}`)
  }
  return measured.map(({ reports, target: { name } }) => ({
    name,
    reports,
    answeredInAll: answeredInAll.get(name) ?? 0,
  }))
}

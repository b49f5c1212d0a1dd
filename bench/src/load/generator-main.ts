// The process that makes the load: takes a plan, carries it out, reports; until its parent is gone.
import { findQuantile } from '../slices/statistics.ts'
import { readEqualLines, type EqualLines } from './equal-lines.ts'
import type { LoadPlan, LoadReport } from './load-plan.ts'
import { runLoad } from './run-load.ts'

const files = new Map<string, EqualLines>()

function openLines(file: string): EqualLines {
  const lines = files.get(file) ?? readEqualLines(file)
  files.set(file, lines)
  return lines
}

async function carryOut(plan: LoadPlan): Promise<LoadReport> {
  const { head, tail } = plan
  const lines = openLines(plan.linesFile)
  let cpu = process.cpuUsage()
  const { byStatus, elapsedMs, last, latenciesMs } = await runLoad({
    ...plan,
    nextRequest: () => head + lines.at(Math.floor(Math.random() * lines.count)) + tail,
    onPhase: (phase) => {
      cpu = phase === 'begun' ? process.cpuUsage() : process.cpuUsage(cpu)
    },
  })
  const { 200: answeredInAll = 0, ...refused } = byStatus
  const isAnswered = latenciesMs.length > 0
  return {
    answered: latenciesMs.length,
    answeredInAll,
    refused,
    elapsedMs,
    p50Ms: isAnswered ? findQuantile(latenciesMs, 0.5) : Number.NaN,
    p99Ms: isAnswered ? findQuantile(latenciesMs, 0.99) : Number.NaN,
    cpuMs: (cpu.user + cpu.system) / 1000,
    sample: last?.readBody() ?? '',
  }
}

process.on('message', (plan: LoadPlan) => {
  carryOut(plan).then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ fault: String(error) }),
  )
})
process.on('disconnect', () => process.exit())

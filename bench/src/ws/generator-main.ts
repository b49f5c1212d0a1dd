// The process that makes the load: takes a plan, carries it out, reports; until its parent is gone. The plan's head
// names what is sent.
import { readEqualLines, type EqualLines } from '../load/equal-lines.ts'
import type { LoadPlan } from '../load/load-plan.ts'
import { runSocketLoad } from './run-socket-load.ts'
import { CALL, CALLS, STREAM, type WebSocketRequest } from './scenario.ts'

const REQUESTS: Readonly<Record<string, WebSocketRequest>> = {
  call: CALL,
  calls: CALLS,
  stream: STREAM,
}
const files = new Map<string, EqualLines>()

function openLines(file: string): EqualLines {
  const lines = files.get(file) ?? readEqualLines(file)
  files.set(file, lines)
  return lines
}

process.on('message', (plan: LoadPlan) => {
  const lines = openLines(plan.linesFile)
  const request = REQUESTS[plan.head] ?? CALL
  let next = 0
  const nextToken = (): string => lines.at((next += 1) % lines.count)
  runSocketLoad({ ...plan, request, nextToken }).then(
    (report) => process.send?.({ report }),
    (error: unknown) => process.send?.({ fault: String(error) }),
  )
})
process.on('disconnect', () => process.exit())

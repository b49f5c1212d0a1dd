import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { summarize, type Summary } from '../slices/statistics.ts'

const Times = z.object({ first: z.number(), later: z.array(z.number()) })

export type TestWorldTimes = {
  /** In a process that has made none before, as each file of tests is. Milliseconds. */
  readonly first: Summary
  /** In one that has. */
  readonly later: Summary
}

/** Times `createTestWorld()`, from the call to the answer of a first call in it, in processes of their own. */
export async function timeTestWorld(processes: number): Promise<TestWorldTimes> {
  const first: number[] = []
  const later: number[] = []
  for (let at = 0; at < processes; at += 1) {
    const child = fork(fileURLToPath(new URL('test-world-main.ts', import.meta.url)), {
      execArgv: ['--disable-warning=ExperimentalWarning', '--conditions=@deputy/source'],
    })
    const ended = once(child, 'exit')
    const [said] = await Promise.race([once(child, 'message'), ended])
    const times = Times.parse(said)
    first.push(times.first)
    later.push(...times.later)
    await ended
  }
  return { first: summarize(first), later: summarize(later) }
}

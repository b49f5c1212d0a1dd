// What a server's process takes up, told to who asks it over HTTP.
import type { RequestListener } from 'node:http'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

export type Memory = {
  readonly rssBytes: number
  /** What is alive: after a collection. With what it holds outside of the heap. */
  readonly heapBytes: number
  /** Sockets, timers and whatever else keeps the process. */
  readonly handles: number
}

setFlagsFromString('--expose_gc')
const collect: unknown = runInNewContext('gc')

/** Measures this process. */
export function measureMemory(): Memory {
  // One that also gives pages back: otherwise it is V8's habits that are measured. Twice: what the first one
  // finalizes goes with the second.
  const how = { type: 'major', execution: 'sync', flavor: 'last-resort' }
  for (let times = 0; times < 2; times += 1) if (typeof collect === 'function') collect(how)
  const { external, heapUsed, rss } = process.memoryUsage()
  const handles = process.getActiveResourcesInfo().length
  return { rssBytes: rss, heapBytes: heapUsed + external, handles }
}

/** Answers with it. */
export const answerMemory: RequestListener = (_req, res) => {
  res.end(JSON.stringify(measureMemory()))
}

/** Asks a server. */
export async function askMemory(port: number): Promise<Memory> {
  const answer = await fetch(`http://127.0.0.1:${String(port)}/memory`)
  const read: unknown = await answer.json()
  if (isMemory(read)) return read
  throw new TypeError('the server did not say what it takes up')
}

function isMemory(value: unknown): value is Memory {
  if (typeof value !== 'object' || value === null) return false
  return ['rssBytes', 'heapBytes', 'handles'].every(
    (name) => typeof Reflect.get(value, name) === 'number',
  )
}

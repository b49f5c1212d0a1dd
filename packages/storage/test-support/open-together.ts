// A thread of a test: opens each file in the same moment as the other threads do.
import { parentPort, workerData } from 'node:worker_threads'
import { openWriter } from '../src/sqlite/sqlite-connection.ts'

/** What the thread is given. `arrivals` counts, a file a place, the threads that are about to open it. */
export type OpenTogether = {
  readonly files: readonly string[]
  readonly threads: number
  readonly arrivals: Int32Array
}

function openTogether({ files, threads, arrivals }: OpenTogether): string[] {
  const failures: string[] = []
  for (const [place, file] of files.entries()) {
    Atomics.add(arrivals, place, 1)
    // Turning rather than waiting: a thread that has to be woken comes late.
    while (Atomics.load(arrivals, place) < threads);
    try {
      openWriter(file).close()
    } catch (error) {
      failures.push(String(error))
    }
  }
  return failures
}

const failures = openTogether(
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the test gives it
  workerData as OpenTogether,
)
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
parentPort?.postMessage(failures)

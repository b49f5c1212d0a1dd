import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { OpenTogether } from '../../test-support/open-together.ts'

const THREADS = 2
const FILES = 60

test('lets several open one new file in the same moment', async () => {
  await using folder = await createTemporaryFolder()
  const files = Array.from({ length: FILES }, (_, n) => folder.file(`${String(n)}.sqlite`))
  const arrivals = new Int32Array(new SharedArrayBuffer(FILES * Int32Array.BYTES_PER_ELEMENT))
  const workerData: OpenTogether = { files, threads: THREADS, arrivals }

  const threads = Array.from({ length: THREADS }, () => {
    return new Worker(new URL('../../test-support/open-together.ts', import.meta.url), {
      workerData,
    })
  })
  const failures = await Promise.all(threads.map(async (thread) => once(thread, 'message')))

  expect(failures.flat(2)).toEqual([])
})

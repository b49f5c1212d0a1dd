// A machine that has no more threads, for a moment.
import { expect, test, vi } from 'vitest'
import { writeFiles } from '../../../../test/support/documents.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { createReadingThread } from './reading-thread.ts'

vi.mock(import('node:worker_threads'), async (importOriginal) => {
  const original = await importOriginal()
  let isFirst = true
  class LateWorker extends original.Worker {
    constructor(...given: ConstructorParameters<typeof original.Worker>) {
      if (isFirst) {
        isFirst = false
        throw new Error('no more threads')
      }
      super(...given)
    }
  }
  return { ...original, Worker: LateWorker }
})

test('a document that no thread can be had for rejects, and the next one is read', async () => {
  await using folder = await createTemporaryFolder()
  await writeFiles(folder.path, { 'a.md': 'The gate opens at noon.' })
  const thread = createReadingThread()

  const ended = await thread.readDocument(folder.file('a.md')).catch(String)
  const next = await thread.readDocument(folder.file('a.md'))
  await thread.close()

  expect(ended).toBe('Error: no more threads')
  expect(next.passages).toHaveLength(1)
})

// What a document may take of the thread that reads it, and that it takes nothing else.
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLogger } from '@deputy/serve'
import { writeFiles } from '../../../../test/support/documents.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { createPdf } from '../../test-support/create-pdf.ts'
import { openStorage } from '../storage/open-storage.ts'
import { openLibrary } from './library.ts'
import { createReadingThread } from './reading-thread.ts'

// Only the limits: what the thread itself does takes as long as it takes.
beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => vi.useRealTimers())

/** Takes a parser half a minute and two GB. */
const TABLE = `| a | b |\n|---|---|\n${'| 1 | 2 |\n'.repeat(100_000)}`

async function openThread(files: Record<string, string | Uint8Array>, maxHeapMib?: number) {
  const folder = await createTemporaryFolder()
  await writeFiles(folder.path, files)
  const thread = createReadingThread({ maxHeapMib: maxHeapMib ?? 4096 })
  return {
    ...folder,
    thread,
    [Symbol.asyncDispose]: async () => {
      await thread.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

test('a document that takes too long is given up, while everything else goes on', async () => {
  await using opened = await openThread({ 'a.md': TABLE, 'b.md': 'The gate opens at noon.' })
  const { file, thread } = opened
  const ended = thread.readDocument(file('a.md')).catch(String)
  const next = thread.readDocument(file('b.md'))

  await setImmediate()
  vi.advanceTimersByTime(30_000)

  expect(await ended).toBe('ReadingLimitError: it takes more than 30 seconds to read')
  expect((await next).passages).toMatchObject([
    { sentences: [{ text: 'The gate opens at noon.', startLine: 1, endLine: 1 }] },
  ])
})

test('a document that takes too much memory is given up, and the next one is read', async () => {
  await using opened = await openThread({ 'a.md': TABLE, 'b.md': 'The gate opens at noon.' }, 64)
  const { file, thread } = opened

  const ended = await thread.readDocument(file('a.md')).catch(String)
  const next = await thread.readDocument(file('b.md'))

  expect(ended).toBe('ReadingLimitError: it takes more than 64 MiB of memory to read')
  expect(next.passages).toHaveLength(1)
})

test('a thread that had nothing to do is ended, and started again for the next document', async () => {
  await using opened = await openThread({ 'b.pdf': createPdf([['It opens.'], ['It closes.']]) })
  const { file, thread } = opened
  await thread.readLines(file('b.pdf'))

  vi.advanceTimersByTime(10_000)

  expect(vi.getTimerCount()).toBe(0)
  expect(await thread.readLines(file('b.pdf'))).toEqual([['It opens.'], ['It closes.']])
})

test('what is no document rejects with why, and costs the thread nothing', async () => {
  await using opened = await openThread({ 'a.pdf': 'no PDF', 'b.md': 'The gate opens at noon.' })
  const { file, thread } = opened

  await expect(thread.readDocument(file('a.pdf'))).rejects.toThrow('Invalid PDF structure')
  await expect(thread.readDocument(file('c.md'))).rejects.toThrow('ENOENT')
  expect((await thread.readDocument(file('b.md'))).passages).toHaveLength(1)
})

test('a library names the document that it leaves out, and has the others', async () => {
  await using folder = await createTemporaryFolder()
  await writeFiles(folder.path, { 'a.md': TABLE, 'b.md': 'The gate opens at noon.' })
  await using storage = await openStorage(':memory:')
  const lines: unknown[] = []
  const logger = createLogger({
    name: 'research',
    level: 'warn',
    write: (line) => void lines.push(JSON.parse(line)),
  })
  const parser = createReadingThread({ maxHeapMib: 64 })

  await using library = openLibrary(storage.documents, [{ path: folder.path, prefix: '' }], {
    logger,
    parser,
  })

  expect(await library.whenIndexed()).toEqual({ ok: true, value: 1 })
  expect(lines).toMatchObject([
    {
      msg: 'a document is left out',
      path: folder.file('a.md'),
      why: 'it takes more than 64 MiB of memory to read',
    },
  ])
})

test('a library is closed while a document takes long, and says nothing of it', async () => {
  await using folder = await createTemporaryFolder()
  await writeFiles(folder.path, { 'a.md': TABLE })
  await using storage = await openStorage(':memory:')
  const lines: unknown[] = []
  const logger = createLogger({
    name: 'research',
    level: 'warn',
    write: (line) => void lines.push(JSON.parse(line)),
  })
  const library = openLibrary(storage.documents, [{ path: folder.path, prefix: '' }], { logger })
  await setImmediate()

  await library[Symbol.asyncDispose]()

  expect(lines).toMatchObject([{ reason: 'the agent is being closed' }])
})

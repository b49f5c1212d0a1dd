// Many documents: in bounded memory, with progress, and again only what changed. 10,000 are measured in bench/.
import { createLogger } from '@deputy/serve'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import {
  toDocumentName,
  writeGeneratedDocuments,
} from '../../../../test/support/generated-documents.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { parseInProcess as parser } from '../../test-support/parse-in-process.ts'
import { silent } from '../../test-support/silent-logger.ts'
import { openStorage } from '../storage/open-storage.ts'
import { updateIndex, type IndexProgress } from './update-index.ts'

const MAIN = fileURLToPath(new URL('../../test-support/index-folder-main.ts', import.meta.url))

test('1,500 documents are indexed in a heap that could not hold what is read of them', async () => {
  // Seen to fail: with batches that are not bounded, the process ends for want of memory.
  await using folder = await createTemporaryFolder()
  await writeGeneratedDocuments(folder.file('documents'), 1500)

  const { stdout } = await promisify(execFile)(process.execPath, [
    '--max-old-space-size=40',
    '--max-semi-space-size=4',
    '--conditions=@deputy/source',
    MAIN,
    folder.file('documents'),
    folder.file('research.sqlite'),
  ])

  expect(JSON.parse(stdout)).toEqual({ documents: 1500, added: 1500, removed: 0, skipped: 0 })
})

test('progress is told as it goes and logged every 500 documents; a second time reads what changed', async () => {
  await using folder = await createTemporaryFolder()
  await using storage = await openStorage(':memory:')
  await writeGeneratedDocuments(folder.path, 600)
  const folders = [{ path: folder.path, prefix: '' }]
  const lines: { readonly msg: string; readonly done?: number; readonly total?: number }[] = []
  const logger = createLogger({
    name: 'research',
    level: 'info',
    write: (line) => void lines.push(JSON.parse(line) as (typeof lines)[number]),
  })
  const progress: IndexProgress[] = []

  await updateIndex(storage.documents, folders, {
    logger,
    parser,
    onProgress: (at) => void progress.push(at),
  })
  const before = await storage.documents.list()
  await writeFile(
    `${folder.path}/${toDocumentName(7)}`,
    '# New\n\nThis document was written again.\n',
  )
  const again = await updateIndex(storage.documents, folders, { logger: silent, parser })
  const after = await storage.documents.list()

  expect(lines.map(({ done, msg, total }) => ({ msg, done, total }))).toEqual([
    { msg: 'indexing documents', done: 512, total: 600 },
  ])
  expect(progress.at(-1)).toEqual({ done: 600, total: 600 })
  expect(progress.map(({ done }) => done)).toEqual(
    progress.map(({ done }) => done).toSorted((a, b) => a - b),
  )
  expect(again).toMatchObject({ value: { documents: 600, added: 1, removed: 0 } })
  expect(after.filter(({ sha256 }, at) => sha256 !== before[at]?.sha256)).toHaveLength(1)
  expect(await storage.documents.search(['written'], 5)).toMatchObject([
    { file: toDocumentName(7) },
  ])
})

import { mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { writeFiles } from '../../../../test/support/documents.ts'
import { parseInProcess as parser } from '../../test-support/parse-in-process.ts'
import { silent } from '../../test-support/silent-logger.ts'
import { openStorage } from '../storage/open-storage.ts'
import { findDocuments } from './find-documents.ts'
import { updateIndex } from './update-index.ts'

const toFolders = (path: string) => [{ path, prefix: '' }]

const namesIn = async (folder: string): Promise<string[]> => {
  const found = await findDocuments(toFolders(folder))
  return found.ok ? found.value.files.map(({ file }) => file) : []
}

describe('finding documents', () => {
  test('takes Markdown, text, HTML, PDF and JSON of a folder, and nothing that is hidden', async () => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, {
      'guide.md': 'a',
      'notes/plan.txt': 'a',
      'page.html': 'a',
      'data.json': '{}',
      'report.pdf': 'a',
      'code.ts': 'a',
      'LICENSE.md': 'a',
      'license.txt': 'a',
      'CHANGELOG.md': 'a',
      '.hidden/secret.md': 'a',
      'node_modules/x/README.md': 'a',
    })

    expect((await namesIn(folder.path)).toSorted()).toEqual([
      'CHANGELOG.md',
      'LICENSE.md',
      'data.json',
      'guide.md',
      'license.txt',
      'notes/plan.txt',
      'page.html',
      'report.pdf',
    ])
  })

  test("names a package's files from the package on, once, in pnpm's layout", async () => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, {
      'node_modules/.pnpm/jose@6.0.0/node_modules/jose/README.md': 'a',
      'node_modules/.pnpm/@trpc+server@11.0.0/node_modules/@trpc/server/docs/links.md': 'a',
      'node_modules/plain/README.md': 'a',
    })

    const found = await namesIn(folder.file('node_modules'))

    expect(found.toSorted()).toEqual([
      '@trpc/server/docs/links.md',
      'jose/README.md',
      'plain/README.md',
    ])
  })

  test('takes the newest of a package’s versions, and its own before a nested one', async () => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, {
      'node_modules/.pnpm/zod@9.1.0/node_modules/zod/README.md': 'a',
      'node_modules/.pnpm/zod@10.0.0/node_modules/zod/README.md': 'a',
      'node_modules/jose/README.md': 'a',
      'node_modules/other/node_modules/jose/README.md': 'a',
    })

    const found = await findDocuments(toFolders(folder.file('node_modules')))

    expect(found).toMatchObject({
      value: {
        files: [
          { path: folder.file('node_modules/.pnpm/zod@10.0.0/node_modules/zod/README.md') },
          { path: folder.file('node_modules/jose/README.md') },
        ],
      },
    })
  })

  test('leaves out a file that is too large to be documentation, and says so', async () => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, { 'a.md': 'a', 'log.txt': 'x'.repeat(1024 * 1024 + 1) })

    const found = await findDocuments(toFolders(folder.path))

    expect(found).toMatchObject({
      value: {
        files: [{ file: 'a.md' }],
        skipped: [{ path: folder.file('log.txt'), why: 'larger than 1048576 bytes' }],
      },
    })
  })

  test('does not follow links, and says which there are', async () => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, { 'docs/a.md': 'a', 'other/b.md': 'b' })
    await symlink(folder.file('other'), folder.file('docs/folder'))
    await symlink(folder.file('other/b.md'), folder.file('docs/link.md'))
    await symlink(folder.file('nowhere'), folder.file('docs/tool'))
    await mkdir(folder.file('links'))
    await symlink(folder.file('other/b.md'), folder.file('links/b.md'))

    const found = await findDocuments(toFolders(folder.file('docs')))
    const none = await findDocuments(toFolders(folder.file('links')))

    expect(found).toMatchObject({
      value: {
        files: [{ file: 'a.md' }],
        links: [folder.file('docs/folder'), folder.file('docs/link.md')],
      },
    })
    const why = `(links are not followed: ${folder.file('links/b.md')})`
    expect(none).toMatchObject({
      refusal: { detail: expect.stringContaining(why) as string },
    })
  })

  test.each(['missing', 'empty'])('refuses a folder that is %s, and says which', async (kind) => {
    await using folder = await createTemporaryFolder()
    const path = kind === 'empty' ? folder.path : folder.file('missing')

    const found = await findDocuments(toFolders(path))

    expect(found).toMatchObject({
      ok: false,
      refusal: { reason: 'documents_unavailable', detail: expect.stringContaining(path) as string },
    })
  })
})

describe('updating the index', () => {
  test('reads what is new or changed, and drops what is gone', async () => {
    await using folder = await createTemporaryFolder()
    await using storage = await openStorage(':memory:')
    const update = async () =>
      updateIndex(storage.documents, toFolders(folder.path), { logger: silent, parser })
    await writeFiles(folder.path, {
      'same.md': 'Stays as it is here.',
      'changes.md': 'Apples are red fruit.',
      'goes.md': 'Soon this is gone.',
    })

    const first = await update()
    const second = await update()
    await writeFile(folder.file('changes.md'), 'Pears are green fruit.')
    await utimes(folder.file('changes.md'), 1, 1)
    await rm(folder.file('goes.md'))
    const third = await update()

    expect(first).toMatchObject({ value: { documents: 3, added: 3, removed: 0 } })
    expect(second).toMatchObject({ value: { documents: 3, added: 0, removed: 0 } })
    expect(third).toMatchObject({ value: { documents: 2, added: 1, removed: 1 } })
    expect(await storage.documents.search(['apples'], 5)).toEqual([])
    expect(await storage.documents.search(['soon'], 5)).toEqual([])
    expect(await storage.documents.search(['pears'], 5)).toHaveLength(1)
    expect(await storage.documents.search(['stays'], 5)).toHaveLength(1)
  })

  test('stops between two documents when it is told to, and goes on from there', async () => {
    await using folder = await createTemporaryFolder()
    await using storage = await openStorage(':memory:')
    const names = Array.from({ length: 40 }, (_, at) => [`${String(at)}.md`, 'Apples are red.'])
    await writeFiles(folder.path, Object.fromEntries(names) as Record<string, string>)
    const closing = new AbortController()

    const stopped = await updateIndex(storage.documents, toFolders(folder.path), {
      logger: silent,
      parser,
      signal: closing.signal,
      onProgress: () => closing.abort(),
    })
    const kept = (await storage.documents.list()).length
    const rest = await updateIndex(storage.documents, toFolders(folder.path), {
      logger: silent,
      parser,
    })

    expect(stopped.ok).toBe(false)
    expect(kept).toBeGreaterThan(0)
    expect(rest).toMatchObject({ value: { documents: 40, added: 40 - kept, removed: 0 } })
  })

  test('empties the index of a folder that is gone', async () => {
    await using folder = await createTemporaryFolder()
    await using storage = await openStorage(':memory:')
    await writeFiles(folder.path, { 'docs/a.md': 'Apples are red fruit.' })
    await updateIndex(storage.documents, toFolders(folder.file('docs')), { logger: silent, parser })
    await rm(folder.file('docs'), { recursive: true })

    const result = await updateIndex(storage.documents, toFolders(folder.file('docs')), {
      logger: silent,
      parser,
    })

    expect(result.ok).toBe(false)
    expect(await storage.documents.list()).toEqual([])
  })
})

describe('searching', () => {
  test.each([
    '"',
    '""""',
    'AND OR NOT NEAR',
    'a* OR b',
    'heading:x',
    '{a b} : c',
    '-- ; drop table passage',
    '\u0000',
    '^(((',
    '!?.,:;'.repeat(80),
  ])('is safe for the term %j', async (term) => {
    await using folder = await createTemporaryFolder()
    await using storage = await openStorage(':memory:')
    await writeFiles(folder.path, { 'a.md': 'Apples are red fruit.' })
    await updateIndex(storage.documents, toFolders(folder.path), { logger: silent, parser })

    const found = await storage.documents.search([term, 'apples'], 5)

    expect(found.map(({ file }) => file)).toEqual(['a.md'])
  })

  test('finds other forms of a word', async () => {
    await using folder = await createTemporaryFolder()
    await using storage = await openStorage(':memory:')
    await writeFiles(folder.path, { 'a.md': 'It verifies signatures quickly.' })
    await updateIndex(storage.documents, toFolders(folder.path), { logger: silent, parser })

    expect(await storage.documents.search(['verifying'], 5)).toHaveLength(1)
    expect(await storage.documents.countPassages(['verify', 'absent'])).toEqual({
      total: 1,
      holding: [1, 0],
    })
  })
})

// What is on disk, to sentences: in whatever encoding, and however long its paragraphs are.
import { describe, expect, test } from 'vitest'
import { writeFiles } from '../../../../test/support/documents.ts'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { parseInProcess as parser } from '../../test-support/parse-in-process.ts'
import { silent } from '../../test-support/silent-logger.ts'
import { searchSentences } from '../answer/search-sentences.ts'
import { openStorage } from '../storage/open-storage.ts'
import { readDocument, readLines } from './read-document.ts'
import { splitSentences } from './split-sentences.ts'
import { updateIndex } from './update-index.ts'

const utf16 = (text: string): Buffer => Buffer.from(`\uFEFF${text}`, 'utf16le')
const latin = (text: string): Buffer => Buffer.from(text, 'latin1')

describe('a document is read in its encoding', () => {
  test.each([
    ['UTF-16, as Windows saves it', 'a.txt', utf16('Käse.\r\nReift zwölf Wochen.\r\n')],
    ['UTF-16, the other way round', 'a.txt', utf16('Käse.\r\nReift zwölf Wochen.\r\n').swap16()],
    ['UTF-8 with a byte order mark', 'a.txt', Buffer.from('\uFEFFKäse.\nReift zwölf Wochen.\n')],
    ['Latin-1', 'a.txt', latin('Käse.\nReift zwölf Wochen.\n')],
    ['lines that end as on old machines', 'a.md', Buffer.from('Käse.\rReift zwölf Wochen.\r')],
    ['HTML that says so', 'a.html', latin('<meta charset="latin1"><p>Käse.\nReift zwölf Wochen.')],
    [
      'HTML that says what there is not',
      'a.html',
      latin('<meta charset="x"><p>Käse.\nReift zwölf Wochen.'),
    ],
    [
      'HTML that says UTF-16 and cannot be',
      'a.html',
      Buffer.from('<meta charset="utf-16"><p>Käse.\nReift zwölf Wochen.'),
    ],
  ])('%s', async (_, name, bytes) => {
    await using folder = await createTemporaryFolder()
    await writeFiles(folder.path, { [name]: bytes })

    const { passages } = await readDocument(folder.file(name))
    const [lines] = await readLines(folder.file(name))

    expect(passages.flatMap(({ sentences }) => sentences)).toEqual([
      { text: 'Käse.', startLine: 1, endLine: 1 },
      { text: 'Reift zwölf Wochen.', startLine: 2, endLine: 2 },
    ])
    expect(lines?.[1]).toBe('Reift zwölf Wochen.')
  })

  test('HTML in the letters that it names', async () => {
    await using folder = await createTemporaryFolder()
    const head = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'
    const bytes = Buffer.concat([Buffer.from(`${head}<p>`), Buffer.from([0xcc, 0xe8, 0xf0, 0x2e])])
    await writeFiles(folder.path, { 'a.html': bytes })

    const { passages } = await readDocument(folder.file('a.html'))

    expect(passages[0]?.sentences[0]?.text).toBe('Мир.')
  })
})

describe('long paragraphs', () => {
  test('are split, so that a search compares few sentences with each other', async () => {
    // Seen to take 47 seconds: each of 15,000 sentences was looked for in all others.
    await using folder = await createTemporaryFolder()
    await using storage = await openStorage(':memory:')
    const log = Array.from({ length: 100 }, (_, at) => `Pilot ${String(at)} left the harbour.`)
    await writeFiles(folder.path, { 'log.txt': log.join('\n') })
    await updateIndex(storage.documents, [{ path: folder.path, prefix: '' }], {
      logger: silent,
      parser,
    })

    const passages = await storage.documents.readPassages('log.txt')
    const [found] = await searchSentences(storage.documents, 'When did pilot 77 leave?', 5)

    expect(passages.map(({ sentences }) => sentences.length)).toEqual([24, 24, 24, 24, 4])
    expect(found).toMatchObject({ text: log[77], citation: { startLine: 78, endLine: 78 } })
  })

  test('of abbreviations are split as fast as others', () => {
    // Seen to take five minutes for a megabyte: what came before was read again after each of them.
    const text = 'No. '.repeat(60_000)
    const lineAt = Array.from({ length: text.length }, () => 1)

    expect(splitSentences({ text, outline: text, lineAt })).toHaveLength(1)
  })
})

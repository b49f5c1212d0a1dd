// Cited documents as they are on disk now, each read once for a job.
import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createPdf } from '../../test-support/create-pdf.ts'
import { createResearchWorld } from '../../test-support/research-world.ts'
import { verifyAnswer } from '../loop/verify-answer.ts'
import { openSilentReader } from '../../test-support/parse-in-process.ts'

const SENTENCE = 'The tide gate opens at noon.'
const PDF = createPdf([[SENTENCE], ['It closes at night.']])

test('a sentence that stands where it is cited is checked without reading its PDF again', async () => {
  // Seen to take five seconds for each sentence from a PDF of 800 pages, for which the process did nothing else.
  await using world = await createResearchWorld({ 'tides.pdf': PDF })
  const reader = openSilentReader(world.storage.documents)
  const citation = { file: 'tides.pdf', page: 1, startLine: 1, endLine: 1 }
  await reader.open('tides.pdf')
  await rm(join(world.documents, 'tides.pdf'))

  const verified = await verifyAnswer(reader, [{ text: SENTENCE, citations: [citation] }], 5)

  expect(verified.sentences).toEqual([{ text: SENTENCE, citation }])
})

test('the lines of a PDF are read once for all of its pages', async () => {
  await using world = await createResearchWorld({ 'tides.pdf': PDF })
  const document = await openSilentReader(world.storage.documents).open('tides.pdf')

  const first = await document?.lines(1)
  await rm(join(world.documents, 'tides.pdf'))
  const second = await document?.lines(2)

  expect([first?.[0], second?.[0]]).toEqual([SENTENCE, 'It closes at night.'])
})

test('a document that has grown beyond what is indexed is not read any more', async () => {
  await using world = await createResearchWorld({ 'log.txt': SENTENCE })
  const reader = openSilentReader(world.storage.documents)

  await writeFile(join(world.documents, 'log.txt'), `${SENTENCE}\n`.repeat(50_000))

  expect(await reader.open('log.txt')).toBeUndefined()
})

test('a document that was replaced by a link is not read any more', async () => {
  // Attack: whoever may write into the folder has the agent read for them what they may not read themselves.
  await using world = await createResearchWorld({ 'a.txt': SENTENCE, 'private/.b.txt': 'Secret.' })
  const reader = openSilentReader(world.storage.documents)

  await rm(join(world.documents, 'a.txt'))
  await symlink(join(world.documents, 'private/.b.txt'), join(world.documents, 'a.txt'))

  expect(await reader.open('a.txt')).toBeUndefined()
})

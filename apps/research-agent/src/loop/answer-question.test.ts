import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { answerIn } from '../../test-support/answer-in.ts'
import { createResearchWorld } from '../../test-support/research-world.ts'
import { parseMarkdown } from '../documents/parse-markdown.ts'
import { parseQuestion } from '../answer/question-terms.ts'

const FILES = {
  'sockets.md': [
    '# WebSockets',
    '',
    'In order to authenticate with WebSockets, define connection parameters on the client.',
    'They travel in the first message after the connection opens.',
    '',
    '## Closing',
    '',
    'A socket closes when nothing has been sent for a while.',
  ].join('\n'),
  'keys.md': [
    '# Keys',
    '',
    'An API key is sent as a header with each request.',
    '',
    'A deactivated key is refused from the next request on.',
  ].join('\n'),
}

describe('the words of a question', () => {
  test('leave out what only makes it a question, each once', () => {
    expect(
      parseQuestion('How do I verify, and VERIFY again, the keys?').map(({ word }) => word),
    ).toEqual(['verify', 'again', 'keys'])
  })

  test.each(['', '???', 'how do I', '"; --', '\u0000'])('can be none: %j', (question) => {
    expect(parseQuestion(question)).toEqual([])
  })
})

describe('answering', () => {
  test.each([
    ['How do I authenticate with WebSockets?', 'In order to authenticate with WebSockets, define'],
    [
      'When is a deactivated key refused?',
      'A deactivated key is refused from the next request on.',
    ],
    ['What closes a socket?', 'A socket closes when nothing has been sent for a while.'],
  ])('%s', async (question, first) => {
    await using world = await createResearchWorld(FILES)

    const { sentences } = await answerIn(world, question)

    expect(sentences[0]?.text).toContain(first)
  })

  test('says nothing rather than something beside the point', async () => {
    await using world = await createResearchWorld(FILES)

    const answers = [
      await answerIn(world, 'Which zebras migrate in winter?'),
      await answerIn(world, '??? !!!'),
    ]

    for (const answer of answers) expect(answer).toMatchObject({ sentences: [], documents: [] })
  })

  test('cites, for any question, only what stands in the file on those lines', async () => {
    await using world = await createResearchWorld(FILES)
    const words = Object.values(FILES).join(' ').split(/\s+/)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 8 }),
        async (picked) => {
          const { sentences } = await answerIn(world, picked.join(' '))

          for (const { citation, text } of sentences) {
            const source = await readFile(join(world.documents, citation.file), 'utf8')
            const lines = source.split('\n').slice(citation.startLine - 1, citation.endLine)
            expect(lines.join(' ')).toContain(text)
          }
        },
      ),
      { numRuns: 50 },
    )
  })

  test('drops a sentence that is no longer where it was indexed', async () => {
    // Attack, or plain editing: the file changes after it was indexed; a citation must still hold.
    await using world = await createResearchWorld(FILES)
    const changed = FILES['keys.md'].replace(
      'is refused from the next request on',
      'is always welcome',
    )
    await writeFile(join(world.documents, 'keys.md'), changed)

    const { sentences } = await answerIn(world, 'When is a deactivated key refused?')

    expect(parseMarkdown(changed).length).toBeGreaterThan(0)
    expect(sentences.map(({ text }) => text).join(' ')).not.toContain('deactivated')
  })

  test('drops a sentence that has moved to another line, and keeps those above', async () => {
    await using world = await createResearchWorld(FILES)
    const changed = FILES['keys.md'].replace('\n\nA deactivated', '\n\n\nA deactivated')
    await writeFile(join(world.documents, 'keys.md'), changed)
    const ask = async (question: string) => answerIn(world, question)

    const moved = await ask('When is a deactivated key refused?')
    const stays = await ask('How is an API key sent?')

    expect(moved.sentences.map(({ text }) => text).join(' ')).not.toContain('deactivated')
    expect(stays.sentences[0]?.text).toBe('An API key is sent as a header with each request.')
    expect(stays.documents).toEqual([
      { file: 'keys.md', sha256: createHash('sha256').update(changed).digest('hex') },
    ])
  })

  test('drops the sentences of a file that is gone', async () => {
    await using world = await createResearchWorld(FILES)
    await rm(join(world.documents, 'keys.md'))

    const answer = await answerIn(world, 'How is an API key sent?')

    expect(answer).toMatchObject({ sentences: [], documents: [] })
  })
})

import * as fc from 'fast-check'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createResearchWorld } from '../../test-support/research-world.ts'
import { parseMarkdown } from '../documents/parse-markdown.ts'
import { answerQuestion } from './answer-question.ts'
import { parseQuestion } from './question-terms.ts'
import { pickSentences } from './rank-sentences.ts'

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

    const { sentences } = await answerQuestion(world.storage.documents, question, 3)

    expect(sentences[0]?.text).toContain(first)
  })

  test('says nothing rather than something beside the point', async () => {
    await using world = await createResearchWorld(FILES)

    const answers = [
      await answerQuestion(world.storage.documents, 'Which zebras migrate in winter?', 5),
      await answerQuestion(world.storage.documents, '??? !!!', 5),
    ]

    expect(answers).toEqual([
      { sentences: [], documents: [] },
      { sentences: [], documents: [] },
    ])
  })

  test('cites, for any question, only what stands in the file on those lines', async () => {
    await using world = await createResearchWorld(FILES)
    const words = Object.values(FILES).join(' ').split(/\s+/)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 8 }),
        async (picked) => {
          const { sentences } = await answerQuestion(world.storage.documents, picked.join(' '), 5)

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

    const { sentences } = await answerQuestion(
      world.storage.documents,
      'When is a deactivated key refused?',
      5,
    )

    expect(parseMarkdown(changed).length).toBeGreaterThan(0)
    expect(sentences.map(({ text }) => text).join(' ')).not.toContain('deactivated')
  })
})

test('of two sentences that say the same, the better one is shown', () => {
  const sentence = (text: string, score: number) => ({
    text,
    score,
    citation: { file: 'a.md', startLine: 1, endLine: 1 },
  })

  const picked = pickSentences(
    [
      sentence('Keys are rotated every month.', 3),
      sentence('Keys are rotated every single month.', 2),
      sentence('Sockets close after a while.', 1),
    ],
    2,
  )

  expect(picked.map(({ score }) => score)).toEqual([3, 1])
})

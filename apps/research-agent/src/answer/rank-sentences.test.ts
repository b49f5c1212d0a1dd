import { describe, expect, test } from 'vitest'
import type { FoundPassage } from '../documents/document-index.ts'
import { parseQuestion } from './question-terms.ts'
import { pickSentences, rankSentences, toWeight } from './rank-sentences.ts'
import { isReadable, readsAlone } from './readable-sentence.ts'

const passage = (file: string, heading: string, ...texts: string[]): FoundPassage => ({
  file,
  heading,
  sentences: texts.map((text, at) => ({ text, startLine: at + 1, endLine: at + 1 })),
  score: 1,
})
const rank = (question: string, ...passages: FoundPassage[]): string[] =>
  rankSentences(
    passages,
    parseQuestion(question).map((term) => ({ word: term.word, stem: term.stem, weight: 1 })),
  )
    .filter(({ coverage }) => coverage >= 0.5)
    .map(({ citation, text }) => `${citation.file}: ${text}`)

describe('ranking', () => {
  test('puts a sentence that holds more of the question first', () => {
    const ranked = rank(
      'How are signing keys rotated?',
      passage('a.md', '', 'Signing keys are kept in the database.'),
      passage('b.md', '', 'Signing keys are rotated by the operator.'),
    )

    expect(ranked).toEqual([
      'b.md: Signing keys are rotated by the operator.',
      'a.md: Signing keys are kept in the database.',
    ])
  })

  test('reads the heading for what the sentence leaves out', () => {
    const ranked = rank(
      'How are signing keys rotated?',
      passage('a.md', 'Signing keys', 'They are rotated by the operator every month.'),
      passage('b.md', 'Doors', 'They are rotated by the operator every month.'),
    )

    expect(ranked).toEqual(['a.md: They are rotated by the operator every month.'])
  })

  test('keeps to the package that the question names', () => {
    const ranked = rank(
      'How does pino redact secret values?',
      passage('pino/docs/redaction.md', '', 'Paths name the values that are redacted.'),
      passage('other/README.md', '', 'Our logger can redact values too.'),
    )

    expect(ranked).toEqual(['pino/docs/redaction.md: Paths name the values that are redacted.'])
  })

  test('takes a package of two words for named only when both are said', () => {
    const passages = [
      passage('fast-check/README.md', '', 'Properties are tested with random values.'),
      passage('other/README.md', '', 'Sorting is tested with random values.'),
    ]

    expect(rank('Does fast-check test random values?', ...passages)).toHaveLength(1)
    expect(rank('Which checks test random values?', ...passages)).toHaveLength(2)
  })

  test('does not take the name of a package for an answer', () => {
    const about = passage('hono/README.md', '', 'Hono is a small and simple web framework.')

    expect(rank('How does hono cache responses?', about)).toEqual([])
    expect(rank('What is hono?', about)).toHaveLength(1)
  })

  test('prefers what makes sense by itself', () => {
    const ranked = rank(
      'When do tokens expire?',
      passage('a.md', '', 'This means that tokens expire after a while.'),
      passage('b.md', '', 'Access tokens expire after fifteen minutes.'),
    )

    expect(ranked[0]).toBe('b.md: Access tokens expire after fifteen minutes.')
  })

  test('gives a term more weight the fewer passages hold it', () => {
    const weights = [0, 1, 10, 100].map((holding) => toWeight(holding, 100))

    expect(weights).toEqual(weights.toSorted((a, b) => b - a))
    expect(weights.at(-1)).toBeGreaterThan(0)
  })
})

test.each([
  ['Tokens are valid for fifteen minutes only.', true],
  ['`parse` throws when the input is invalid.', true],
  ['Read the whole guide on our fine website.', false],
  ['How are messages sent to the other side?', false],
  ['For example, the following settings apply here:', false],
  ['and then tokens are valid for fifteen minutes.', false],
  ['Too short by far.', false],
  [`${'Word '.repeat(80)}end.`, false],
  ['The guide lives at https://example.com/guide.', false],
])('of sentences, %j is shown: %s', (text, isShown) => {
  expect(isReadable(text)).toBe(isShown)
})

test.each([
  ['Tokens expire.', true],
  ['It expires.', false],
  ['In this case tokens expire.', false],
  ['In the example above tokens expire.', false],
])('%j makes sense alone: %s', (text, isAlone) => {
  expect(readsAlone(text)).toBe(isAlone)
})

test('of two sentences that say the same, the better one is shown', () => {
  const sentence = (text: string, score: number) => ({
    text,
    score,
    heading: '',
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

// How good research is, over documents and questions that are pinned here. The bounds are just below what is
// measured; docs/research.md has the figures. What is held out was run last; docs/research.md says what was changed after it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { summarizeVerdicts, verifyLabelledClaims } from '../test-support/measure-claims.ts'
import {
  askPinned,
  openPinnedDocuments,
  QUESTION_KINDS,
  readQuestions,
  summarize,
  type Outcome,
  type PinnedDocuments,
} from '../test-support/measure-quality.ts'
import { readPdfPages } from './documents/parse-pdf.ts'

let documents: PinnedDocuments
const tuned: Outcome[] = []
const heldOut: Outcome[] = []

beforeAll(async () => {
  documents = await openPinnedDocuments()
  const questions = await readQuestions()
  for (const question of questions.tuned) tuned.push(await askPinned(documents, question))
  for (const question of questions.heldOut) heldOut.push(await askPinned(documents, question))
})
afterAll(async () => documents.close())

test('at least 60 questions of every kind are asked, a third of them held out', () => {
  const all = [...tuned, ...heldOut]

  expect(all.length).toBeGreaterThanOrEqual(60)
  expect(heldOut.length).toBe(all.length / 3)
  for (const kind of QUESTION_KINDS) {
    expect(heldOut.filter((one) => one.kind === kind).length).toBeGreaterThanOrEqual(4)
  }
})

describe('the search', () => {
  test('finds what answers a question among its first five sentences', () => {
    expect(summarize(tuned).recallAt5).toBeGreaterThan(0.85)
    expect(summarize(heldOut).recallAt5).toBeGreaterThan(0.8)
  })

  test.each([
    ['exact term', 0.9],
    ['number', 0.95],
    ['negation', 0.95],
    ['multi-document', 0.8],
    ['paraphrase', 0.5],
  ] as const)('finds it for questions of the kind %s', (kind, atLeast) => {
    const ofKind = [...tuned, ...heldOut].filter((one) => one.kind === kind)

    expect(summarize(ofKind).recallAt5).toBeGreaterThanOrEqual(atLeast)
  })
})

describe('a brief by rules', () => {
  test('holds the answer, or nothing', () => {
    expect(summarize(tuned).inBrief).toBeGreaterThan(0.65)
    expect(summarize(heldOut).inBrief).toBeGreaterThan(0.65)
  })

  test('says nothing where no document answers', () => {
    expect(summarize(tuned).saysNothing).toBe(1)
    expect(summarize(heldOut).saysNothing).toBe(1)
  })

  test('has no sentence that does not stand on the lines that it cites, read by another way', async () => {
    const unsupported = []
    const sentences = [...tuned, ...heldOut].flatMap(({ brief }) => brief)
    for (const { citation, text } of sentences) {
      const lines = await readRawLines(citation)
      const isThere = text.split(' | ').every((part) => stands(part, lines))
      if (!isThere) unsupported.push({ text, citation })
    }

    expect(sentences.length).toBeGreaterThan(60)
    expect(unsupported).toEqual([])
  })
})

describe('what a model says', () => {
  test('passes if the cited sentence supports it, and not else, as marked by hand', async () => {
    const verdicts = await verifyLabelledClaims(documents)
    const all = summarizeVerdicts(verdicts)
    const held = summarizeVerdicts(verdicts.filter((one) => one.heldOut))

    expect(all.claims).toBeGreaterThanOrEqual(60)
    expect(all.supportedOfPassed).toBeGreaterThan(0.94)
    expect(all.passedOfTrue).toBeGreaterThan(0.82)
    expect(held.supportedOfPassed).toBeGreaterThanOrEqual(0.9)
  })
})

type Place = {
  readonly file: string
  readonly page?: number | undefined
  readonly startLine: number
  readonly endLine: number
}

async function readRawLines({ endLine, file, page, startLine }: Place): Promise<string> {
  const path = join(documents.folder, file)
  const bytes = await readFile(path)
  const lines =
    page === undefined
      ? bytes.toString('utf8').split('\n')
      : ((await readPdfPages(bytes))[page - 1] ?? [])
  return lines
    .slice(startLine - 1, endLine)
    .join(' ')
    .replaceAll(/<[a-z/][^>]*>|\]\([^)]*\)/gi, ' ')
}

/** Whether the words stand there in a row; of a cell with what its column is called, those of the cell. */
function stands(part: string, lines: string): boolean {
  const words = (text: string): string =>
    ` ${(text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(' ')} `
  const cell = part.slice(part.indexOf(': ') + 2)
  return words(lines).includes(words(part)) || words(lines).includes(words(cell))
}

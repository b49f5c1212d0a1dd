// How well documents are searched and questions answered: questions with known answers, over a set of documents
// that is pinned here. A third of the questions is held out, to be run last.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'
import { updateIndex } from '../src/documents/update-index.ts'
import { openStorage } from '../src/storage/open-storage.ts'
import { createDocumentService } from '../src/tools/document-service.ts'
import { answerIn } from './answer-in.ts'
import { openSilentReader, parseInProcess } from './parse-in-process.ts'
import { silent } from './silent-logger.ts'

export const QUESTION_KINDS = [
  'paraphrase',
  'exact term',
  'number',
  'negation',
  'multi-document',
  'none',
] as const

const Question = z.object({
  kind: z.enum(QUESTION_KINDS),
  question: z.string(),
  /** Where the answer stands, and a piece of the sentence that gives it. None: no document answers. */
  answers: z.array(z.object({ file: z.string(), says: z.string() })),
})
export type Question = z.infer<typeof Question>

const FOLDER = fileURLToPath(new URL('pinned-documents', import.meta.url))
const QUESTIONS = new URL('questions.json', import.meta.url)

/** The questions, and those of them that nothing is tuned by: each third one. */
export async function readQuestions() {
  const all = z.array(Question).parse(JSON.parse(await readFile(QUESTIONS, 'utf8')))
  return {
    tuned: all.filter((_, at) => at % 3 !== 2),
    heldOut: all.filter((_, at) => at % 3 === 2),
  }
}

/** Opens an index over the pinned documents. */
export async function openPinnedDocuments() {
  const storage = await openStorage(':memory:')
  const update = await updateIndex(storage.documents, [{ path: FOLDER, prefix: '' }], {
    logger: silent,
    parser: parseInProcess,
  })
  if (!update.ok) throw new Error(update.refusal.detail)
  return { ...storage, folder: FOLDER, update: update.value }
}

export type PinnedDocuments = Awaited<ReturnType<typeof openPinnedDocuments>>

type Place = {
  readonly file: string
  readonly page?: number | undefined
  readonly startLine: number
  readonly endLine: number
}

export type Outcome = Question & {
  /** Share of the answers that are among the first five sentences found. */
  readonly recallAt5: number
  /** Share of the answers that are in the brief. */
  readonly inBrief: number
  readonly brief: readonly { readonly text: string; readonly citation: Place }[]
}

/** Asks a question, of the search and of the loop by rules. */
export async function askPinned(storage: PinnedDocuments, question: Question): Promise<Outcome> {
  const reader = openSilentReader(storage.documents)
  const service = createDocumentService(storage.documents, reader)
  const { results } = await service.search({ query: question.question, limit: 5 })
  const { sentences } = await answerIn({ storage }, question.question)
  const share = (found: readonly { readonly file: string; readonly text: string }[]): number => {
    const there = question.answers.filter(({ file, says }) =>
      found.some((one) => one.file === file && one.text.includes(says)),
    )
    return question.answers.length === 0 ? 0 : there.length / question.answers.length
  }
  return {
    ...question,
    recallAt5: share(results),
    inBrief: share(sentences.map(({ citation, text }) => ({ file: citation.file, text }))),
    brief: sentences,
  }
}

/** What the outcomes come to. Shares, from 0 to 1. */
export function summarize(outcomes: readonly Outcome[]) {
  const answerable = outcomes.filter(({ answers }) => answers.length > 0)
  const none = outcomes.filter(({ answers }) => answers.length === 0)
  return {
    questions: outcomes.length,
    recallAt5: mean(answerable.map(({ recallAt5 }) => recallAt5)),
    inBrief: mean(answerable.map(({ inBrief }) => inBrief)),
    saysNothing: mean(none.map(({ brief }) => (brief.length === 0 ? 1 : 0))),
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length
}

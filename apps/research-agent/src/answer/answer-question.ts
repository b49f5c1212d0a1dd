import { parseQuestion } from './question-terms.ts'
import { pickSentences, rankSentences, toWeight } from './rank-sentences.ts'
import { verifyCitations, type VerifiedSentences } from './verify-citations.ts'
import type { DocumentIndex } from '../documents/document-index.ts'

/** How many passages are looked at more closely. */
const PASSAGES = 60

/**
 * Answers from the index: what the question asks for, the passages that fit, the sentences that fit
 * best, and those of them that still stand where they are cited. Empty when nothing is to the point.
 */
export async function answerQuestion(
  index: DocumentIndex,
  question: string,
  maxSentences: number,
): Promise<VerifiedSentences> {
  const terms = parseQuestion(question)
  const passages = await index.search(
    terms.map(({ word }) => word),
    PASSAGES,
  )
  if (passages.length === 0) return { sentences: [], documents: [] }
  const { holding, total } = await index.countPassages(terms.map(({ word }) => word))
  const weighted = terms.map(({ stem, word }, at) => ({
    word,
    stem,
    weight: toWeight(holding[at] ?? 0, total),
  }))
  const picked = pickSentences(rankSentences(passages, weighted), maxSentences)
  return verifyCitations(
    index,
    picked.map(({ citation, text }) => ({ text, citation })),
  )
}

import { parseQuestion } from './question-terms.ts'
import { pickSentences, rankSentences, toWeight, type RankedSentence } from './rank-sentences.ts'
import type { DocumentIndex } from '../documents/document-index.ts'

/** How many passages are looked at more closely. */
const PASSAGES = 60

/**
 * Finds the sentences that fit a question best: the passages that hold its terms, and of those the
 * sentences. Empty when nothing is to the point.
 */
export async function searchSentences(
  index: DocumentIndex,
  question: string,
  limit: number,
): Promise<readonly RankedSentence[]> {
  const terms = parseQuestion(question)
  const words = terms.map(({ word }) => word)
  const passages = await index.search(words, PASSAGES)
  if (passages.length === 0) return []
  const { holding, total } = await index.countPassages(words)
  const weighted = terms.map(({ stem, word }, at) => ({
    word,
    stem,
    weight: toWeight(holding[at] ?? 0, total),
  }))
  return pickSentences(rankSentences(passages, weighted), limit)
}

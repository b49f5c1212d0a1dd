import type { DocumentIndex } from '../documents/document-index.ts'
import { makeSnippet } from './make-snippet.ts'
import { parseQuestion } from './question-terms.ts'
import { pickSentences, rankSentences, toWeight, type RankedSentence } from './rank-sentences.ts'
import { splitQuestion } from './split-question.ts'

export type FoundSentence = Omit<RankedSentence, 'passage'> & {
  /** Of its passage, the words of the question in [brackets]. */
  readonly snippet: string
}

/** How many passages are looked at more closely. */
const PASSAGES = 60

/**
 * Finds the sentences that fit a question best: the passages that hold its terms, and of those the
 * sentences. A question that asks for several things gets the best of each in turn. Empty when no passage
 * holds any of its terms.
 */
export async function searchSentences(
  index: DocumentIndex,
  question: string,
  limit: number,
): Promise<readonly FoundSentence[]> {
  const parts = splitQuestion(question)
  const asked = parts.length === 1 ? parts : [question, ...parts]
  const lists: (readonly RankedSentence[])[] = []
  for (const part of asked) lists.push(await rankFor(index, part))
  const stems = new Set(parseQuestion(question).map(({ stem }) => stem))
  return pickSentences(interleave(lists), limit).map((sentence) => {
    const { citation, coverage, heading, passage, score, text } = sentence
    return { citation, coverage, heading, score, text, snippet: makeSnippet(passage, stems) }
  })
}

async function rankFor(index: DocumentIndex, question: string): Promise<readonly RankedSentence[]> {
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
  return rankSentences(passages, weighted, question)
}

/** The best of each list, then the second best of each. */
function interleave<Item>(lists: readonly (readonly Item[])[]): readonly Item[] {
  const longest = Math.max(0, ...lists.map(({ length }) => length))
  return Array.from({ length: longest }, (_, rank) =>
    lists.flatMap((list) => list.slice(rank, rank + 1)),
  ).flat()
}

// Which sentences answer the question best. Pure: a sentence is worth the rarity of the question's
// terms that it holds itself, somewhat less for those that only its heading or its passage holds, and a
// share of its passage's BM25.
import type { Citation } from '@deputy/contracts/research'
import type { FoundPassage } from '../documents/document-index.ts'
import type { Sentence } from '../documents/document.ts'
import { toTerms, type Term } from './question-terms.ts'

export type WeightedTerm = Term & {
  /** Rarer terms say more (inverse document frequency). */
  readonly weight: number
}

export type RankedSentence = {
  readonly text: string
  readonly citation: Citation
  readonly score: number
}

const HEADING_SHARE = 0.5
const PASSAGE_SHARE = 0.25
const BM25_SHARE = 0.35
/** Below this share of the question's weight a sentence is about something else. */
const MIN_COVERAGE = 0.45
/** A sentence worth less than this share of the best one only dilutes the answer. */
const MIN_OF_BEST = 0.55
const WORDS = { min: 6, max: 70 }

/** The weight of a term that so many of all passages hold. */
export function toWeight(holding: number, total: number): number {
  return Math.log(1 + (total - holding + 0.5) / (holding + 0.5))
}

/** Ranks every sentence of the passages that is worth showing, best first. */
export function rankSentences(
  passages: readonly FoundPassage[],
  terms: readonly WeightedTerm[],
): readonly RankedSentence[] {
  const totalWeight = terms.reduce((total, { weight }) => total + weight, 0)
  const bestScore = Math.max(...passages.map(({ score }) => score), Number.MIN_VALUE)
  const ranked = passages.flatMap((passage) => {
    const inHeading = toStems(`${passage.file} ${passage.heading}`)
    const inPassage = toStems(passage.sentences.map(({ text }) => text).join(' '))
    return passage.sentences.filter(isReadable).flatMap((sentence) => {
      const inSentence = toStems(sentence.text)
      let own = 0
      let around = 0
      for (const { stem, weight } of terms) {
        if (inSentence.has(stem)) own += weight
        else if (inHeading.has(stem)) around += weight * HEADING_SHARE
        else if (inPassage.has(stem)) around += weight * PASSAGE_SHARE
      }
      const coverage = (own + around) / totalWeight
      if (own === 0 || coverage < MIN_COVERAGE) return []
      const score = coverage + (BM25_SHARE * passage.score) / bestScore
      const { endLine, startLine, text } = sentence
      return [{ text, score, citation: { file: passage.file, startLine, endLine } }]
    })
  })
  const best = Math.max(...ranked.map(({ score }) => score))
  return ranked
    .filter(({ score }) => score >= best * MIN_OF_BEST)
    .toSorted((a, b) => b.score - a.score)
}

/**
 * The best sentences that say different things, at most so many, in order of worth: one that shares
 * most of its words with a better one adds nothing.
 */
export function pickSentences(
  ranked: readonly RankedSentence[],
  limit: number,
): readonly RankedSentence[] {
  const picked: { readonly sentence: RankedSentence; readonly stems: ReadonlySet<string> }[] = []
  for (const sentence of ranked) {
    if (picked.length === limit) break
    const stems = toStems(sentence.text)
    if (picked.every((other) => overlap(stems, other.stems) < 0.6)) picked.push({ sentence, stems })
  }
  return picked.map(({ sentence }) => sentence)
}

/** Whole sentences of prose: not a label, a list of links, a line that announces code. */
function isReadable({ text }: Sentence): boolean {
  const words = text.split(' ').length
  if (words < WORDS.min || words > WORDS.max) return false
  return (
    /^["'“(`]?[\p{Lu}\p{N}@`]/u.test(text) &&
    /[.!?]["'”)]?$/.test(text) &&
    !/https?:\S+$/.test(text)
  )
}

function toStems(text: string): ReadonlySet<string> {
  return new Set(toTerms(text).map(({ stem }) => stem))
}

function overlap(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  return a.intersection(b).size / Math.min(a.size, b.size)
}

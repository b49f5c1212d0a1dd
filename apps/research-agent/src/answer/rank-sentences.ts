// Which sentences answer the question best. Pure: a sentence is worth the rarity of the question's
// terms that it holds itself, somewhat less for those that only its heading or its passage holds, and a
// share of its passage's BM25; less when it is about another package than the question names, and when
// it cannot be read alone.
import type { Citation } from '@deputy/contracts/research'
import type { FoundPassage } from '../documents/document-index.ts'
import { isReadable, readsAlone } from './readable-sentence.ts'
import { toTerms, type Term } from './question-terms.ts'

export type WeightedTerm = Term & {
  /** Rarer terms say more (inverse document frequency). */
  readonly weight: number
}

export type RankedSentence = {
  readonly text: string
  readonly citation: Citation
  readonly score: number
  readonly heading: string
  /** Of its passage. */
  readonly snippet: string
}

const HEADING_SHARE = 0.5
const PASSAGE_SHARE = 0.25
const BM25_SHARE = 0.35
/**
 * Below this share of the question's weight a sentence is about something else. In a package that the
 * question names, less will do: it is to the point already.
 */
const MIN_COVERAGE = { anywhere: 0.55, inNamedPackage: 0.4 }
/** A sentence worth less than this share of the best one only dilutes the answer. */
const MIN_OF_BEST = 0.6
/** "How does hono …?" is seldom answered by what does not speak of hono. */
const OTHER_PACKAGE_SHARE = 0.6
const NOT_ALONE_SHARE = 0.8

type Stems = ReadonlySet<string>

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
  const named = findNamedPackages(passages, terms)
  // The name of a package alone is no topic, unless nothing else is asked for.
  const topics = terms.filter(({ stem }) => !named.some((name) => name.has(stem)))
  const topic: Stems = new Set((topics.length > 0 ? topics : terms).map(({ stem }) => stem))
  const ranked = passages.flatMap((passage) => {
    const inHeading = toStems(`${passage.file} ${passage.heading}`)
    const sentences = passage.sentences.map((sentence) => ({
      ...sentence,
      stems: toStems(sentence.text),
    }))
    return sentences
      .filter(({ text }) => isReadable(text))
      .flatMap(({ endLine, page, startLine, stems, text }) => {
        const isNamed = named.some((name) => name.isSubsetOf(stems) || name.isSubsetOf(inHeading))
        let coverage = 0
        let isOnTopic = false
        for (const { stem, weight } of terms) {
          const share = weight / totalWeight
          if (stems.has(stem)) {
            coverage += share
            isOnTopic ||= topic.has(stem)
          } else if (inHeading.has(stem)) coverage += share * HEADING_SHARE
          else if (sentences.some((other) => other.stems.has(stem)))
            coverage += share * PASSAGE_SHARE
        }
        if (named.length > 0 && !isNamed) coverage *= OTHER_PACKAGE_SHARE
        const enough = isNamed ? MIN_COVERAGE.inNamedPackage : MIN_COVERAGE.anywhere
        if (!isOnTopic || coverage < enough) return []
        const score =
          (coverage + (BM25_SHARE * passage.score) / bestScore) *
          (readsAlone(text) ? 1 : NOT_ALONE_SHARE)
        const { file, heading, snippet } = passage
        const onPage = page === undefined ? {} : { page }
        const citation = { file, ...onPage, startLine, endLine }
        return [{ text, score, heading, snippet, citation }]
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
  const picked: { readonly sentence: RankedSentence; readonly stems: Stems }[] = []
  for (const sentence of ranked) {
    if (picked.length === limit) break
    const stems = toStems(sentence.text)
    if (picked.every((other) => overlap(stems, other.stems) < 0.6)) picked.push({ sentence, stems })
  }
  return picked.map(({ sentence }) => sentence)
}

/** The folders at the top, packages in a node_modules, whose whole name the question says. */
function findNamedPackages(
  passages: readonly FoundPassage[],
  terms: readonly WeightedTerm[],
): readonly Stems[] {
  const asked: Stems = new Set(terms.map(({ stem }) => stem))
  const folders = new Set(
    passages.flatMap(({ file }) => (file.includes('/') ? file.split('/', 1) : [])),
  )
  return [...folders].map(toStems).filter((name) => name.size > 0 && name.isSubsetOf(asked))
}

function toStems(text: string): Stems {
  return new Set(toTerms(text).map(({ stem }) => stem))
}

function overlap(a: Stems, b: Stems): number {
  return a.intersection(b).size / Math.min(a.size, b.size)
}

// Which sentences answer the question best. Pure: a sentence is worth the rarity of the question's terms that it
// holds itself, less for those that only its heading, its neighbours or its passage hold, more where terms stand
// together as in the question, and a share of its passage's BM25; less when it is about another package than the
// question names, and when it cannot be read alone.
import type { Citation } from '@deputy/contracts/research'
import type { FoundPassage } from '../documents/document-index.ts'
import { looksLikeAnswer } from './kind-of-answer.ts'
import { isReadable, isWorthReading, readsAlone } from './readable-sentence.ts'
import { toTerms, type Term } from './question-terms.ts'

export type WeightedTerm = Term & {
  /** Rarer terms say more (inverse document frequency). */
  readonly weight: number
}

export type RankedSentence = {
  readonly text: string
  readonly citation: Citation
  readonly score: number
  /** How much of the question it speaks of, by the weight of the terms: from 0 to 1. */
  readonly coverage: number
  readonly heading: string
  /** The sentences of its passage. */
  readonly passage: readonly string[]
}

/** What a term counts that does not stand in the sentence itself. */
const SHARES = { variant: 0.8, heading: 0.6, neighbour: 0.4, passage: 0.25 }
const BM25_SHARE = 0.25
const TOGETHER_SHARE = 0.15
const FORM_SHARE = 0.1
/** "How does hono …?" is seldom answered by what does not speak of hono. */
const OTHER_PACKAGE_SHARE = 0.6
/** In a package that the question names, less will do: it is to the point already. */
const NAMED_PACKAGE_SHARE = 1.35
const NOT_ALONE_SHARE = 0.9
const NOT_READABLE_SHARE = 0.85
/** Shorter stems begin words that have nothing to do with each other. */
const MIN_PREFIX = 5

type Stems = ReadonlySet<string>

/** The weight of a term that so many of all passages hold. */
export function toWeight(holding: number, total: number): number {
  return Math.log(1 + (total - holding + 0.5) / (holding + 0.5))
}

/** Ranks every sentence of the passages that speaks of the question, best first. */
export function rankSentences(
  passages: readonly FoundPassage[],
  terms: readonly WeightedTerm[],
  question = terms.map(({ word }) => word).join(' '),
): readonly RankedSentence[] {
  const totalWeight = terms.reduce((total, { weight }) => total + weight, 0)
  const bestScore = Math.max(...passages.map(({ score }) => score), Number.MIN_VALUE)
  const named = findNamedPackages(passages, terms)
  // The name of a package alone is no topic, unless nothing else is asked for.
  const topics = terms.filter(({ stem }) => !named.some((name) => name.has(stem)))
  const topic: Stems = new Set((topics.length > 0 ? topics : terms).map(({ stem }) => stem))
  return passages
    .flatMap((passage) => {
      const { file, heading, score: bm25 } = passage
      const texts = passage.sentences.map(({ text }) => text)
      const inHeading = toStems(`${file} ${heading}`)
      const sentences = passage.sentences.map((sentence) => ({
        ...sentence,
        list: toTerms(sentence.text).map(({ stem }) => stem),
        stems: toStems(sentence.text),
      }))
      return sentences.flatMap(({ endLine, list, page, startLine, stems, text }, at) => {
        if (!isWorthReading(text)) return []
        const around = [sentences[at - 1]?.stems, sentences[at + 1]?.stems]
        let coverage = 0
        let isOnTopic = false
        for (const { stem, weight } of terms) {
          const inside = findShare(stem, stems)
          if (inside > 0) isOnTopic ||= topic.has(stem)
          coverage +=
            (weight / totalWeight) *
            Math.max(
              inside,
              SHARES.heading * findShare(stem, inHeading),
              ...around.map((other) => (other?.has(stem) === true ? SHARES.neighbour : 0)),
              sentences.some((other) => other.stems.has(stem)) ? SHARES.passage : 0,
            )
        }
        if (!isOnTopic) return []
        const isNamed = named.some((name) => name.isSubsetOf(stems) || name.isSubsetOf(inHeading))
        if (isNamed) coverage = Math.min(1, coverage * NAMED_PACKAGE_SHARE)
        else if (named.length > 0) coverage *= OTHER_PACKAGE_SHARE
        const score =
          (coverage +
            (BM25_SHARE * bm25) / bestScore +
            TOGETHER_SHARE * findTogether(list, terms) +
            (looksLikeAnswer(question, text) ? FORM_SHARE : 0)) *
          (isReadable(text) ? 1 : NOT_READABLE_SHARE) *
          (readsAlone(text) ? 1 : NOT_ALONE_SHARE)
        const onPage = page === undefined ? {} : { page }
        const citation = { file, ...onPage, startLine, endLine }
        return [{ text, score, coverage, heading, passage: texts, citation }]
      })
    })
    .toSorted((a, b) => b.score - a.score)
}

/**
 * The best sentences that say different things, at most so many, in order of worth: one that shares
 * most of its words with a better one adds nothing.
 */
export function pickSentences<Sentence extends Pick<RankedSentence, 'text'>>(
  ranked: readonly Sentence[],
  limit: number,
): readonly Sentence[] {
  const picked: { readonly sentence: Sentence; readonly stems: Stems }[] = []
  for (const sentence of ranked) {
    if (picked.length === limit) break
    const stems = toStems(sentence.text)
    if (picked.every((other) => overlap(stems, other.stems) < 0.75))
      picked.push({ sentence, stems })
  }
  return picked.map(({ sentence }) => sentence)
}

/** 1 where the stem is there, less where another form of the word is. */
function findShare(stem: string, stems: Stems): number {
  if (stems.has(stem)) return 1
  if (stem.length < MIN_PREFIX) return 0
  for (const other of stems) {
    if (other.startsWith(stem)) return SHARES.variant
    if (other.length >= MIN_PREFIX && stem.startsWith(other)) return SHARES.variant
  }
  return 0
}

/** Share of the question's pairs of words in a row that stand close together here too. */
function findTogether(list: readonly string[], terms: readonly WeightedTerm[]): number {
  if (terms.length < 2) return 0
  let together = 0
  for (const [at, { stem }] of terms.slice(1).entries()) {
    const before = terms[at]?.stem
    const isNear = list.some(
      (one, position) => one === before && list.slice(position + 1, position + 4).includes(stem),
    )
    if (isNear) together += 1
  }
  return together / (terms.length - 1)
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

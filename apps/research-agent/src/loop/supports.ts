// Whether lines support a sentence. A quotation is supported by standing there. A paraphrase has to find nearly all
// of its words in the sentence that is closest to it, or in that and the one before, and
// every number, name and qualifier of it, and has to deny what that denies. That is stricter than a reader would
// be: what is dropped can be asked for again, what is wrong would be believed.
import { toTerms } from '../answer/question-terms.ts'
import { readsAlone } from '../answer/readable-sentence.ts'
import { withoutUnseen } from './plain-text.ts'
import { findMarks, isNumber } from './strict-marks.ts'

/** Share of a paraphrase's words that its evidence must hold. */
const MIN_SHARE = 0.9

const NEGATIONS = /\b(?:not|never|no|none|nor|cannot|without|neither|nobody|nothing)\b|n['’]t\b/gi

/** Where one statement of a sentence ends and the next one begins. */
const CLAUSE =
  /[;:—]\s|,\s+(?=(?:and|but|or|because|since|unless|so|while|whereas|although|not)\b)/i

const LITTLE_WORDS = new Set(
  `a an and are as at be been being but by can come comes did do does for from get gets got had has have if in into
  is it its of on or so such than that the their them then there these they this those to was were when where which
  while who whom whose will with would also`.split(/\s+/),
)

/** Share that has to stand in the sentences themselves: headings say what it is about, and no more. */
const MIN_SHARE_WITHOUT_HEADING = 0.6

export type Evidence = {
  /** Those that stand on the cited lines. */
  readonly sentences: readonly string[]
  readonly headings: string
  /** The text of the lines. */
  readonly lines: string
}

/** Checks a sentence against what it cites. */
export function isSupported(text: string, evidence: Evidence): boolean {
  const claim = normalize(text)
  if (claim === '') return false
  const sentences = evidence.sentences.map(normalize)
  if (sentences.includes(claim)) return true
  // A part of a sentence may be the condition of another part, or its denial: read as a paraphrase.
  const words = contentOf(claim)
  if (words.length === 0) return false
  const source = findSource(words, sentences, normalize(evidence.lines))
  const joined = source.join(' ')
  return (
    shareOf(words, joined) >= MIN_SHARE_WITHOUT_HEADING &&
    shareOf(words, `${joined} ${evidence.headings}`) >= MIN_SHARE &&
    findMarks(claim).isSubsetOf(findMarks(joined)) &&
    deniesAlike(claim, source)
  )
}

/**
 * What a paraphrase may be taken from: the sentence that is closest to it; if that does not do, with the one before it,
 * where it leans on that: "She does not stop for fog." Words of sentences further apart would say what none of them
 * does. Where nothing on the lines is a sentence, the lines.
 */
function findSource(
  words: readonly string[],
  sentences: readonly string[],
  lines: string,
): readonly string[] {
  const closest = findClosest(sentences, words)
  if (sentences.length === 0) return [lines]
  if (shareOf(words, closest) >= MIN_SHARE) return [closest]
  const leaning = sentences
    .slice(1)
    .map((sentence, at) => [sentences[at] ?? '', sentence])
    .filter(([, sentence = '']) => !readsAlone(sentence))
  const [best = [closest]] = [[closest], ...leaning].toSorted(
    (a, b) => shareOf(words, b.join(' ')) - shareOf(words, a.join(' ')),
  )
  return best
}

/** Words that say something; numbers are marks. */
function contentOf(text: string): readonly string[] {
  return toTerms(text).flatMap(({ stem, word }) =>
    LITTLE_WORDS.has(word) || isNumber(word) ? [] : [stem],
  )
}

function shareOf(words: readonly string[], source: string): number {
  const known = new Set(toTerms(source).map(({ stem }) => stem))
  return words.filter((stem) => known.has(stem)).length / words.length
}

function findClosest(sources: readonly string[], words: readonly string[]): string {
  const [best] = sources
    .map((source) => ({ source, share: shareOf(words, source) }))
    .toSorted((a, b) => b.share - a.share)
  return best?.source ?? ''
}

/** What a statement takes from the one before it, when it says "she" or "none" of what was named there. */
const CONTEXT_SHARE = 0.6

/** Whether each statement of the claim says no where the statement that it is closest to does. */
function deniesAlike(claim: string, sources: readonly string[]): boolean {
  const statements = sources.flatMap((source) => source.split(CLAUSE))
  return claim.split(CLAUSE).every((statement) => {
    const words = contentOf(statement)
    const inContext = statements.map((text, at) => {
      const own = shareOf(words, text)
      const withBefore = shareOf(words, `${statements[at - 1] ?? ''} ${text}`)
      return { text, share: own + CONTEXT_SHARE * (withBefore - own) }
    })
    const whole = sources.map((text) => ({ text, share: shareOf(words, text) }))
    const [closest] = [...inContext, ...whole].toSorted((a, b) => b.share - a.share)
    return words.length === 0 || denies(statement) === denies(closest?.text ?? '')
  })
}

function denies(text: string): boolean {
  return (text.match(NEGATIONS) ?? []).length > 0
}

/** Without the marks of Markdown, white space folded. */
function normalize(text: string): string {
  return withoutUnseen(text)
    .normalize('NFKC')
    .replaceAll(/[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?=\W|$)|[#>|]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

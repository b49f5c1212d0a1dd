// Whether lines support a sentence. A quotation is supported by standing there. A paraphrase has to find
// nearly all of its words there, each number and each name from code, and has to deny what they deny. That is
// stricter than a reader would be: what is dropped can be asked for again, what is wrong would be believed.
import { toTerms } from '../answer/question-terms.ts'

/** Share of a paraphrase's words that the lines must hold. */
const MIN_SHARE = 0.75

const NUMBERS = /\d+(?:[.,:]\d+)*/g
const NAMES_OF_CODE = /`[^`]+`|\b[\w$]+(?:[._/-][\w$]+)+\b|\b[a-z]+[A-Z]\w*\b|\b[A-Z]+_[A-Z_]+\b/g
const NEGATIONS = /\b(?:not|never|no|none|nor|cannot|without|neither)\b|n['’]t\b/gi

const LITTLE_WORDS = new Set(
  `a an and are as at be been being but by can did do does for from had has have if in into is it its of on
  or so such than that the their them then there these they this those to was were when where which while
  will with would also only`.split(/\s+/),
)

/** Checks a sentence against the sentences and the text of the lines that it cites. */
export function isSupported(
  text: string,
  evidence: { readonly sentences: readonly string[]; readonly lines: string },
): boolean {
  const claim = normalize(text)
  if (claim === '') return false
  if (evidence.sentences.some((sentence) => normalize(sentence) === claim)) return true
  const source = normalize(`${evidence.sentences.join(' ')} ${evidence.lines}`)
  // A part of a sentence may be the condition of another part, or its denial: read as a paraphrase.
  const words = contentOf(claim)
  if (words.length === 0) return false
  const known = new Set(toTerms(source).map(({ stem }) => stem))
  const found = words.filter((stem) => known.has(stem)).length
  return (
    found / words.length >= MIN_SHARE &&
    holdsAll(claim, source, NUMBERS) &&
    holdsAll(claim, source, NAMES_OF_CODE) &&
    deniesAlike(claim, [...evidence.sentences, evidence.lines], words)
  )
}

function contentOf(text: string): readonly string[] {
  return toTerms(text).flatMap(({ stem, word }) => (LITTLE_WORDS.has(word) ? [] : [stem]))
}

function holdsAll(claim: string, source: string, pattern: RegExp): boolean {
  const strip = (mark: string): string => mark.replaceAll('`', '').toLowerCase()
  const there = new Set((source.match(pattern) ?? []).map(strip))
  const plain = source.toLowerCase()
  return (claim.match(pattern) ?? [])
    .map(strip)
    .every((mark) => there.has(mark) || (/\D/.test(mark) && plain.includes(mark)))
}

/** Whether the claim says no where the sentence that it is closest to does. */
function deniesAlike(claim: string, sources: readonly string[], words: readonly string[]): boolean {
  const ranked = sources
    .filter((source) => source.trim() !== '')
    .map((source) => {
      const known = new Set(toTerms(source).map(({ stem }) => stem))
      return { source: normalize(source), shared: words.filter((stem) => known.has(stem)).length }
    })
    .toSorted((a, b) => b.shared - a.shared)
  const closest = ranked[0]?.source ?? ''
  return denies(claim) === denies(closest)
}

function denies(text: string): boolean {
  return (text.match(NEGATIONS) ?? []).length > 0
}

/** Without the marks of Markdown, white space folded. */
function normalize(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(/[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?=\W|$)|[#>|]/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

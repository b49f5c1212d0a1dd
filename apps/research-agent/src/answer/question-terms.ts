import { LRUCache } from 'lru-cache'
import { stemmer } from 'stemmer'
import { toBase } from './irregular-forms.ts'

/** A word of the question that is searched for. */
export type Term = { readonly word: string; readonly stem: string }

/** Most terms that are searched for; more make every passage fit a little. */
const MAX_TERMS = 16

// Words that say how a question is asked, not what about.
const STOP_WORDS = new Set(
  `a about above after against all also am an and any are as at be been before being between but by
  can could did do does doing during explain for from get give had handle handles happen happened
  happens has have having he her here his how i if in into is it its just know let like make may
  me might more most must my need no not of on once one only or other our out over please same
  shall she should show so some such tell than that the their them then there these they this
  those through to too under up use used using very want was way we were what when where which
  while who whom whose why will with work works would you your`.split(/\s+/),
)

/** Words whose stems are remembered: the same few thousand make up most of any text. */
const stems = new LRUCache<string, string>({ max: 20_000 })

function toStem(word: string): string {
  const known = stems.get(word)
  if (known !== undefined) return known
  const stem = stemmer(toBase(word))
  stems.set(word, stem)
  return stem
}

/** The words of a text with their stems, lower case: runs of letters and digits. */
export function toTerms(text: string): readonly Term[] {
  const words =
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{N}]+/gu) ?? []
  return words.map((word) => ({ word, stem: toStem(word) }))
}

/** What to search for: the question's words without those that only make it a question, each once. */
export function parseQuestion(question: string): readonly Term[] {
  const terms = new Map<string, Term>()
  for (const term of toTerms(question)) {
    if (term.word.length > 1 && !STOP_WORDS.has(term.word)) terms.set(term.stem, term)
  }
  return [...terms.values()].slice(0, MAX_TERMS)
}

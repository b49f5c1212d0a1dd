import { toTerms } from './question-terms.ts'

const WORDS = 24

/** The piece of a passage where most of the question's stems stand, each of those words in [brackets]. */
export function makeSnippet(sentences: readonly string[], stems: ReadonlySet<string>): string {
  const words = sentences.join(' ').split(' ')
  const isAsked = words.map((word) => toTerms(word).some(({ stem }) => stems.has(stem)))
  let best = { from: 0, held: -1 }
  for (let from = 0; from === 0 || from <= words.length - WORDS; from += 1) {
    const held = isAsked.slice(from, from + WORDS).filter(Boolean).length
    if (held > best.held) best = { from, held }
  }
  const piece = words
    .slice(best.from, best.from + WORDS)
    .map((word, at) => (isAsked[best.from + at] === true ? `[${word}]` : word))
  const before = best.from > 0 ? '…' : ''
  const after = best.from + WORDS < words.length ? '…' : ''
  return `${before}${piece.join(' ')}${after}`
}

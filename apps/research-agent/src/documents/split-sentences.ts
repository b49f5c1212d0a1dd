import type { Sentence } from './document.ts'

/** Text whose every character knows its line. */
export type LinedText = {
  readonly text: string
  readonly lineAt: readonly number[]
  /** The text with the marks inside code made harmless: `?a=1` ends no sentence. As long as the text. */
  readonly outline: string
}

const segmenter = new Intl.Segmenter('en', { granularity: 'sentence' })

/** Splits prose into sentences with the lines that each one covers. */
export function splitSentences({ lineAt, outline, text }: LinedText): readonly Sentence[] {
  const sentences: Sentence[] = []
  let start = 0
  // A line break inside a paragraph ends no sentence; to the segmenter it would.
  for (const { index, segment } of segmenter.segment(outline.replace(/[\r\n]/g, ' '))) {
    const end = index + segment.length
    if (end < outline.length && endsWithAbbreviation(outline.slice(start, end))) continue
    addSentence(sentences, lineAt, { text: text.slice(start, end), index: start })
    start = end
  }
  return sentences
}

function addSentence(
  sentences: Sentence[],
  lineAt: readonly number[],
  piece: { readonly text: string; readonly index: number },
): void {
  const text = piece.text.replace(/\s+/g, ' ').trim()
  if (text === '') return
  const from = piece.index + piece.text.search(/\S/)
  const to = piece.index + piece.text.trimEnd().length - 1
  sentences.push({ text, startLine: lineAt[from] ?? 1, endLine: lineAt[to] ?? lineAt[from] ?? 1 })
}

/** Longer than the longest abbreviation: what is before is not looked at, however long it is. */
const MAX_ABBREVIATION = 8

/** The segmenter ends a sentence after these too. */
function endsWithAbbreviation(text: string): boolean {
  const end = text.trimEnd().slice(-MAX_ABBREVIATION)
  return /(?:^|[\s(])(?:e\.g|i\.e|etc|vs|cf|approx|No|Fig)\.$/i.test(end)
}

import type { Passage } from './document.ts'
import { splitSentences } from './split-sentences.ts'

/** Splits plain text into passages: paragraphs parted by empty lines. */
export function parseText(source: string): readonly Passage[] {
  const passages: Passage[] = []
  let text = ''
  let lineAt: number[] = []
  const flush = (): void => {
    const sentences = splitSentences({ text, outline: text, lineAt })
    if (sentences.length > 0) passages.push({ heading: '', sentences })
    text = ''
    lineAt = []
  }
  for (const [index, line] of source.split(/\r?\n/).entries()) {
    if (line.trim() === '') flush()
    else {
      text += `${line}\n`
      for (let at = 0; at <= line.length; at += 1) lineAt.push(index + 1)
    }
  }
  flush()
  return passages
}

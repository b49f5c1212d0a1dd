// A row of a table as a sentence that can be read by itself: each cell after what its column is called.
import type { Passage } from './document.ts'

export type TableRow = {
  readonly cells: readonly string[]
  readonly startLine: number
  readonly endLine: number
}

/** Rows are kept a few to a passage: a long table is about many things. */
const ROWS_AT_ONCE = 8

/** Splits the rows below a head into passages. */
export function toTablePassages(
  heading: string,
  head: readonly string[],
  rows: readonly TableRow[],
): readonly Passage[] {
  const sentences = rows.flatMap(({ cells, endLine, startLine }) => {
    const text = cells
      .map((cell, at) => toLabelled(head[at] ?? '', cell))
      .filter((cell) => cell !== '')
      .join(' | ')
    return text === '' ? [] : [{ text, startLine, endLine }]
  })
  const passages: Passage[] = []
  for (let at = 0; at < sentences.length; at += ROWS_AT_ONCE) {
    passages.push({ heading, sentences: sentences.slice(at, at + ROWS_AT_ONCE) })
  }
  return passages
}

function toLabelled(label: string, cell: string): string {
  return label === '' || cell === '' ? cell : `${label}: ${cell}`
}

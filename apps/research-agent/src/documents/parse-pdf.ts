// PDF to passages: the text of each page, in the order in which it is written there. Lines are those of the
// page. The library is loaded with the first PDF. Scanned pages have no text, and so no passages.
import type { Passage } from './document.ts'
import { splitSentences } from './split-sentences.ts'

/** Later pages are left out. */
const MAX_PAGES = 2000

/** The lines of each page. Rejects for what is no PDF, or one with a password. */
export async function readPdfPages(bytes: Uint8Array): Promise<readonly (readonly string[])[]> {
  const { getDocumentProxy } = await import('unpdf')
  // A copy: the library takes the bytes for itself.
  const document = await getDocumentProxy(new Uint8Array(bytes), { verbosity: 0 })
  try {
    const pages: string[][] = []
    for (let number = 1; number <= Math.min(document.numPages, MAX_PAGES); number += 1) {
      const page = await document.getPage(number)
      const { items } = await page.getTextContent()
      let text = ''
      for (const item of items) if ('str' in item) text += item.str + (item.hasEOL ? '\n' : '')
      pages.push(text.split('\n').map((line) => line.trimEnd()))
      page.cleanup()
    }
    return pages
  } finally {
    await document.loadingTask.destroy()
  }
}

/** Splits the pages of a PDF into passages: a sentence does not go on over the end of a page. */
export function parsePdfPages(pages: readonly (readonly string[])[]): readonly Passage[] {
  return pages.flatMap((lines, at) => {
    const page = at + 1
    let text = ''
    const lineAt: number[] = []
    for (const [index, line] of lines.entries()) {
      // A word that is divided at the end of a line is one word.
      const isDivided = /\p{L}-$/u.test(line) && /^\p{Ll}/u.test(lines[index + 1] ?? '')
      const piece = isDivided ? line.slice(0, -1) : `${line}\n`
      text += piece
      for (let character = 0; character < piece.length; character += 1) lineAt.push(index + 1)
    }
    const sentences = splitSentences({ text, outline: text, lineAt })
    if (sentences.length === 0) return []
    const onPage = sentences.map((sentence) => Object.assign({ page }, sentence))
    return toPassages(onPage, `page ${String(page)}`)
  })
}

/** A page is long for a passage: a few sentences fit a question better than a whole page. */
const SENTENCES_AT_ONCE = 8

function toPassages(sentences: Passage['sentences'], heading: string): readonly Passage[] {
  const passages: Passage[] = []
  for (let at = 0; at < sentences.length; at += SENTENCES_AT_ONCE) {
    passages.push({ heading, sentences: sentences.slice(at, at + SENTENCES_AT_ONCE) })
  }
  return passages
}

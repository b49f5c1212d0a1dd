// Citations as models write them: `[file:12-13]`, `[file:12]`, `[file.pdf p.4:7-9]`.
import type { Citation } from '@deputy/contracts/research'
import { toPlainText } from './plain-text.ts'

/** A sentence as a model gave it. */
export type Claim = { readonly text: string; readonly citations: readonly Citation[] }

const MARK = /\s*\[([^\n]{1,1000}?)(?: p\.(\d{1,6}))?:(\d{1,7})(?:-(\d{1,7}))?\]\s*[.]?\s*$/

/** Writes a citation. */
export function formatCitation({ endLine, file, page, startLine }: Citation): string {
  const onPage = page === undefined ? '' : ` p.${String(page)}`
  const lines =
    startLine === endLine ? String(startLine) : `${String(startLine)}-${String(endLine)}`
  return `[${file}${onPage}:${lines}]`
}

/** Reads an answer: a claim for each line that is not empty. */
export function parseAnswer(text: string): readonly Claim[] {
  return text
    .split('\n')
    .map((line) => line.replace(/^\s*(?:[-*•]|\d{1,2}[.)])\s+/, '').trim())
    .filter((line) => line !== '')
    .map(parseClaim)
}

function parseClaim(line: string): Claim {
  const citations: Citation[] = []
  let text = toPlainText(line)
  for (let mark = lastMark(text); mark !== undefined; mark = lastMark(text)) {
    text = mark.before
    citations.unshift(mark.citation)
  }
  return { text: text.trim(), citations }
}

/** The mark that ends a text. The name of a file may hold brackets: the shortest that fits is taken. */
function lastMark(text: string): { before: string; citation: Citation } | undefined {
  for (
    let at = text.lastIndexOf('[');
    at !== -1;
    at = at === 0 ? -1 : text.lastIndexOf('[', at - 1)
  ) {
    const [, file, page, from, to] = MARK.exec(text.slice(at)) ?? []
    if (file === undefined || from === undefined) continue
    const startLine = Number(from)
    const endLine = Number(to ?? from)
    if (startLine < 1 || endLine < startLine) return undefined
    const onPage = page === undefined ? {} : { page: Number(page) }
    return { before: text.slice(0, at), citation: { file, ...onPage, startLine, endLine } }
  }
  return undefined
}

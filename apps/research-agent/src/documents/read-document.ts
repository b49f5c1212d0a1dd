import { readFile } from 'node:fs/promises'
import { decodeText } from './decode-text.ts'
import type { Passage } from './document.ts'
import { toDocumentKind } from './document-kind.ts'
import type { DocumentLines, ReadDocument } from './document-parser.ts'
import { toSha256 } from './hash-document.ts'
import { parseHtml } from './parse-html.ts'
import { parseJson } from './parse-json.ts'
import { parseMarkdown } from './parse-markdown.ts'
import { parsePdfPages, readPdfPages } from './parse-pdf.ts'
import { parseText } from './parse-text.ts'

/** Reads and splits a file. Rejects when it cannot be read, or is not what its name says. */
export async function readDocument(path: string): Promise<ReadDocument> {
  const bytes = await readFile(path)
  const passages = await parse(path, bytes)
  return { sha256: toSha256(bytes), passages: passages.flatMap(splitPassage) }
}

/** Paragraphs of prose have fewer. */
const MAX_SENTENCES = 24

/**
 * A search compares each sentence of a passage with all the others: of a log without an empty line, which is one paragraph,
 * that would be thousands.
 */
function splitPassage(passage: Passage): readonly Passage[] {
  const { heading, sentences } = passage
  if (sentences.length <= MAX_SENTENCES) return [passage]
  const parts: Passage[] = []
  for (let at = 0; at < sentences.length; at += MAX_SENTENCES) {
    parts.push({ heading, sentences: sentences.slice(at, at + MAX_SENTENCES) })
  }
  return parts
}

async function parse(path: string, bytes: Buffer): Promise<readonly Passage[]> {
  const kind = toDocumentKind(path)
  if (kind === 'pdf') return parsePdfPages(await readPdfPages(bytes))
  const source = decodeText(bytes, { isHtml: kind === 'html' })
  if (kind === 'html') return parseHtml(source)
  if (kind === 'json') return parseJson(source)
  return kind === 'text' ? parseText(source) : parseMarkdown(source)
}

/** Reads the lines of a file, of each page where it has pages. Rejects when it cannot be read. */
export async function readLines(path: string): Promise<DocumentLines> {
  const bytes = await readFile(path)
  const kind = toDocumentKind(path)
  if (kind === 'pdf') return readPdfPages(bytes)
  return [decodeText(bytes, { isHtml: kind === 'html' }).split('\n')]
}

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Passage } from './document.ts'
import { toDocumentKind } from './document-kind.ts'
import { parseHtml } from './parse-html.ts'
import { parseJson } from './parse-json.ts'
import { parseMarkdown } from './parse-markdown.ts'
import { parsePdfPages, readPdfPages } from './parse-pdf.ts'
import { parseText } from './parse-text.ts'

/** A document's content as the index and the citation check see it. */
export type ReadDocument = { readonly sha256: string; readonly passages: readonly Passage[] }

/** Reads and splits a file. Rejects when it cannot be read, or is not what its name says. */
export async function readDocument(path: string): Promise<ReadDocument> {
  const bytes = await readFile(path)
  return { sha256: toSha256(bytes), passages: await parse(path, bytes) }
}

async function parse(path: string, bytes: Buffer): Promise<readonly Passage[]> {
  const kind = toDocumentKind(path)
  if (kind === 'pdf') return parsePdfPages(await readPdfPages(bytes))
  const source = bytes.toString('utf8')
  if (kind === 'html') return parseHtml(source)
  if (kind === 'json') return parseJson(source)
  return kind === 'text' ? parseText(source) : parseMarkdown(source)
}

/** The lines of a file as a person sees them, or of a page of it. Rejects when it cannot be read. */
export async function readLines(
  path: string,
  page: number | undefined,
): Promise<readonly string[]> {
  const bytes = await readFile(path)
  if (toDocumentKind(path) !== 'pdf') return bytes.toString('utf8').split(/\r?\n/)
  return (await readPdfPages(bytes))[(page ?? 1) - 1] ?? []
}

/** The SHA-256 of a file as it is now. Rejects when it cannot be read. */
export async function hashDocument(path: string): Promise<string> {
  return toSha256(await readFile(path))
}

function toSha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Passage } from './document.ts'
import { parseMarkdown } from './parse-markdown.ts'
import { parseText } from './parse-text.ts'

/** A document's content as the index and the citation check see it. */
export type ReadDocument = { readonly sha256: string; readonly passages: readonly Passage[] }

/** Reads and splits a file. Rejects when it cannot be read. */
export async function readDocument(path: string): Promise<ReadDocument> {
  const bytes = await readFile(path)
  const source = bytes.toString('utf8')
  return {
    sha256: toSha256(bytes),
    passages: /\.txt$/i.test(path) ? parseText(source) : parseMarkdown(source),
  }
}

/** The lines of a file as a person sees them. Rejects when it cannot be read. */
export async function readLines(path: string): Promise<readonly string[]> {
  return (await readFile(path, 'utf8')).split(/\r?\n/)
}

/** The SHA-256 of a file as it is now. Rejects when it cannot be read. */
export async function hashDocument(path: string): Promise<string> {
  return toSha256(await readFile(path))
}

function toSha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

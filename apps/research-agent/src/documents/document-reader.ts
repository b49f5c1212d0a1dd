// Cited documents as they are on disk now: a file may have changed since it was indexed.
import type { Citation } from '@deputy/contracts/research'
import type { Logger } from '@deputy/serve'
import { lstat } from 'node:fs/promises'
import type { Sentence } from './document.ts'
import type { DocumentIndex } from './document-index.ts'
import { findMaxBytes } from './document-kind.ts'
import type { DocumentLines, DocumentParser } from './document-parser.ts'
import { hashDocument } from './hash-document.ts'

/** A sentence with the headings above it. */
export type StandingSentence = Sentence & { readonly heading: string }

/** A document at this moment. */
export type CurrentDocument = {
  readonly sha256: string
  readonly sentences: readonly StandingSentence[]
  /** Its lines as a person sees them, of a page where it has pages. */
  lines(page: number | undefined): Promise<readonly string[]>
}

export type DocumentReader = {
  /** The document, or `undefined` when it is not indexed or cannot be read any more. */
  open(file: string): Promise<CurrentDocument | undefined>
}

export type DocumentReaderDeps = {
  readonly index: Pick<DocumentIndex, 'find' | 'readPassages'>
  readonly parser: DocumentParser
  readonly logger: Logger
}

/** Opens a reader for one job: each document is read once. */
export function openDocumentReader(deps: DocumentReaderDeps): DocumentReader {
  const opened = new Map<string, Promise<CurrentDocument | undefined>>()
  return {
    async open(file) {
      const known =
        opened.get(file) ??
        openCurrent(deps, file).catch((error: unknown) => {
          deps.logger.warn({ file, err: error }, 'a document cannot be read')
          return undefined
        })
      opened.set(file, known)
      return known
    },
  }
}

/** The sentences that stand on these lines, or partly do. */
export function findSentences(
  { sentences }: Pick<CurrentDocument, 'sentences'>,
  { endLine, page, startLine }: Citation,
): readonly StandingSentence[] {
  return sentences.filter(
    (sentence) =>
      sentence.page === page && sentence.startLine <= endLine && sentence.endLine >= startLine,
  )
}

async function openCurrent(
  { index, parser }: DocumentReaderDeps,
  file: string,
): Promise<CurrentDocument | undefined> {
  const indexed = await index.find(file)
  if (indexed === undefined) return undefined
  const { path } = indexed
  const now = await lstat(path)
  // It may have grown since, or be no file any more, but a link: what would not be indexed is not read either.
  if (!now.isFile() || now.size > findMaxBytes(path)) return undefined
  const sha256 = await hashDocument(path)
  // Byte for byte what was indexed: then the index knows its sentences.
  const current =
    sha256 === indexed.sha256
      ? { sha256, passages: await index.readPassages(file) }
      : await parser.readDocument(path)
  // A PDF takes seconds to read: once for all that is asked of it.
  let lines: Promise<DocumentLines> | undefined
  return {
    sha256: current.sha256,
    sentences: current.passages.flatMap(({ heading, sentences }) =>
      sentences.map((sentence) => Object.assign({ heading }, sentence)),
    ),
    lines: async (page) => (await (lines ??= parser.readLines(path)))[(page ?? 1) - 1] ?? [],
  }
}

import type { DocumentFile, Passage, Sentence } from './document.ts'
import type { ReadDocument } from './document-parser.ts'

/** A document as it was when it was indexed. */
export type IndexedDocument = Pick<DocumentFile, 'file' | 'path' | 'sizeBytes' | 'modifiedMs'> & {
  readonly sha256: string
}

/** A passage that fits a search. */
export type FoundPassage = {
  readonly file: string
  readonly heading: string
  readonly sentences: readonly Sentence[]
  /** BM25: higher fits better. */
  readonly score: number
}

/** A document to be put in. */
export type IndexEntry = {
  readonly document: DocumentFile
  readonly content: ReadDocument
}

/** The full-text index. */
export type DocumentIndex = {
  list(): Promise<readonly IndexedDocument[]>
  /** Puts documents in, all or none, each in place of what was there under its name. */
  putAll(entries: readonly IndexEntry[]): Promise<void>
  /** Takes documents out, all or none. */
  removeAll(files: readonly string[]): Promise<void>
  find(file: string): Promise<IndexedDocument | undefined>
  /** What was put in of a document, in order. */
  readPassages(file: string): Promise<readonly Passage[]>
  /** The best passages that hold any of the terms, best first. Terms are any text. */
  search(terms: readonly string[], limit: number): Promise<readonly FoundPassage[]>
  /** How many passages hold each term, and how many there are. */
  countPassages(terms: readonly string[]): Promise<{
    readonly total: number
    readonly holding: readonly number[]
  }>
}

import type { Passage } from './document.ts'

/** A document's content as the index and the citation check see it. */
export type ReadDocument = { readonly sha256: string; readonly passages: readonly Passage[] }

/** The lines of a document as a person sees them, of each of its pages; what has no pages is one. */
export type DocumentLines = readonly (readonly string[])[]

/** Makes sentences and lines of the files on disk. Either rejects for what cannot be read, or is not what its name says. */
export type DocumentParser = {
  readDocument(path: string): Promise<ReadDocument>
  readLines(path: string): Promise<DocumentLines>
  /** Ends it: what is under way rejects. */
  close(): Promise<void>
}

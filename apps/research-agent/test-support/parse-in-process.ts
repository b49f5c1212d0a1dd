// Documents parsed where the test runs: a thread takes a second to start.
import type { DocumentParser } from '../src/documents/document-parser.ts'
import { openDocumentReader, type DocumentReader } from '../src/documents/document-reader.ts'
import type { DocumentIndex } from '../src/documents/document-index.ts'
import { readDocument, readLines } from '../src/documents/read-document.ts'
import { silent } from './silent-logger.ts'

export const parseInProcess: DocumentParser = {
  readDocument,
  readLines,
  close: async () => undefined,
}

/** A reader of cited documents that says nothing of those that it cannot read. */
export function openSilentReader(index: DocumentIndex): DocumentReader {
  return openDocumentReader({ index, parser: parseInProcess, logger: silent })
}

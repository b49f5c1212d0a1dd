// The document tools: the port of the contract, over the index and the files themselves.
import { CallRefusal } from '@deputy/auth/trpc'
import { MAX_LINES, type DocumentService, type QuoteAnswer } from '@deputy/contracts/documents'
import type { Citation } from '@deputy/contracts/research'
import { searchSentences } from '../answer/search-sentences.ts'
import type { DocumentIndex } from '../documents/document-index.ts'
import { findSentences, type DocumentReader } from '../documents/document-reader.ts'

/** Creates the service for one job. A document that is not indexed cannot be read: names are no paths. */
export function createDocumentService(
  index: DocumentIndex,
  reader: DocumentReader,
): DocumentService {
  return {
    async search({ limit, query }) {
      const found = await searchSentences(index, query, limit)
      return {
        results: found.map(({ citation, coverage, heading, score, snippet, text }) =>
          Object.assign({ heading, text, snippet, score, coverage }, citation),
        ),
      }
    },

    async read(citation) {
      const { endLine, file, page, startLine } = citation
      const document = await reader.open(file)
      if (document === undefined) throw refuseDocument(file)
      const lines = await document.lines(page)
      const last = Math.min(endLine, startLine + MAX_LINES - 1, lines.length)
      if (last < startLine) throw refuseLines(citation, lines.length)
      return {
        ...citation,
        endLine: last,
        lines: lines
          .slice(startLine - 1, last)
          .map((text, at) => ({ line: startLine + at, text: text.slice(0, 2000) })),
      }
    },

    async quote({ citations }) {
      const quotes: QuoteAnswer['quotes'] = []
      for (const citation of citations) {
        const document = await reader.open(citation.file)
        const standing = document === undefined ? [] : findSentences(document, citation)
        quotes.push({ ...citation, sentences: standing.slice(0, 40).map(({ text }) => text) })
      }
      return { quotes }
    },
  }
}

function refuseDocument(file: string): CallRefusal {
  return new CallRefusal({
    code: 'NOT_FOUND',
    reason: 'document_unknown',
    message: `There is no document ${file.slice(0, 200)}`,
    hint: 'Use a file that documents.search named.',
  })
}

function refuseLines({ file, startLine }: Citation, last: number): CallRefusal {
  return new CallRefusal({
    code: 'NOT_FOUND',
    reason: 'lines_unknown',
    message: `${file} has no line ${String(startLine)}: its last one is ${String(last)}`,
    hint: 'Ask for lines that are there.',
  })
}

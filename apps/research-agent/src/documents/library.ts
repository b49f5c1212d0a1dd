import { accept, refuse, type Result } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { DocumentIndex } from './document-index.ts'
import type { DocumentParser } from './document-parser.ts'
import type { DocumentFolder, DocumentsRefusal } from './find-documents.ts'
import { createReadingThread } from './reading-thread.ts'
import { updateIndex } from './update-index.ts'

/** The documents that questions are answered from. */
export type Library = AsyncDisposable & {
  readonly index: DocumentIndex
  readonly parser: DocumentParser
  /** How many documents there are, once they are indexed; or why there are none. */
  whenIndexed(): Promise<Result<number, DocumentsRefusal>>
  /** Whether questions need not wait. */
  isIndexed(): boolean
}

export type LibraryOptions = {
  readonly logger: Logger
  /** It ends with the library. Default: a thread. */
  readonly parser?: DocumentParser
}

/**
 * Opens the folders and begins to index it at once; questions wait until that is done. Disposing of it
 * ends that, so that the database can be closed.
 */
export function openLibrary(
  index: DocumentIndex,
  folders: readonly DocumentFolder[],
  { logger, parser = createReadingThread() }: LibraryOptions,
): Library {
  const folder = folders.map(({ path }) => path).join(', ')
  let isIndexed = false
  const closing = new AbortController()
  const indexing = (async (): Promise<Result<number, DocumentsRefusal>> => {
    const startedMs = performance.now()
    try {
      const update = await updateIndex(index, folders, { logger, parser, signal: closing.signal })
      if (!update.ok) {
        logger.warn({ reason: update.refusal.detail }, 'there are no documents to search')
        return update
      }
      const durationMs = Math.round(performance.now() - startedMs)
      logger.info({ folder, ...update.value, durationMs }, 'documents are indexed')
      return accept(update.value.documents)
    } catch (error) {
      logger.error({ folder, err: error }, 'the documents could not be indexed')
      return refuse({ reason: 'documents_unavailable', detail: `${folder} could not be indexed` })
    } finally {
      isIndexed = true
    }
  })()
  return {
    index,
    parser,
    whenIndexed: async () => indexing,
    isIndexed: () => isIndexed,
    async [Symbol.asyncDispose]() {
      closing.abort()
      await parser.close()
      await indexing
    },
  }
}

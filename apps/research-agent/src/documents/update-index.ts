import { accept, refuse, type Result } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import { setImmediate } from 'node:timers/promises'
import type { DocumentFile } from './document.ts'
import type { DocumentIndex, IndexedDocument } from './document-index.ts'
import { findDocuments, type DocumentsRefusal, type FoundDocuments } from './find-documents.ts'
import { readDocument } from './read-document.ts'

/** What an update did. */
export type IndexUpdate = {
  readonly documents: number
  readonly added: number
  readonly removed: number
  readonly skipped: number
}

export type UpdateIndexOptions = {
  readonly logger: Logger
  /** Aborted: stop between two documents. What is read by then stays, and is not read again. */
  readonly signal?: AbortSignal | undefined
}

const NOTHING: FoundDocuments = { files: [], skipped: [] }

/**
 * Brings the index in line with the folder: reads what is new or has another size or time, drops what
 * is gone. A file that cannot be read is left out with a line in the log. A folder that cannot be
 * searched leaves the index empty and is refused.
 */
export async function updateIndex(
  index: DocumentIndex,
  folder: string,
  { logger, signal }: UpdateIndexOptions,
): Promise<Result<IndexUpdate, DocumentsRefusal>> {
  const found = await findDocuments(folder)
  const { files, skipped } = found.ok ? found.value : NOTHING
  for (const { path, why } of skipped) logger.warn({ path, why }, 'a document is left out')
  const known = new Map((await index.list()).map((document) => [document.file, document]))
  let added = 0
  let unreadable = 0
  for (const document of files) {
    if (signal?.aborted === true) {
      return refuse({ reason: 'documents_unavailable', detail: 'the agent is being closed' })
    }
    const before = known.get(document.file)
    if (isUnchanged(document, before)) {
      known.delete(document.file)
      continue
    }
    const content = await readDocument(document.path).catch((error: unknown) => {
      unreadable += 1
      logger.warn({ path: document.path, err: error }, 'a document cannot be read')
    })
    if (content !== undefined) {
      known.delete(document.file)
      await index.put(document, content)
      added += 1
    }
    // Parsing is work of its own: health checks get their turn in between.
    await setImmediate()
  }
  for (const file of known.keys()) await index.remove(file)
  if (!found.ok) return found
  const documents = files.length - unreadable
  if (documents === 0) {
    const detail = `no document in ${folder} can be read`
    return refuse({ reason: 'documents_unavailable', detail })
  }
  return accept({
    documents,
    added,
    removed: known.size,
    skipped: skipped.length + unreadable,
  })
}

function isUnchanged(document: DocumentFile, before: IndexedDocument | undefined): boolean {
  return (
    before?.path === document.path &&
    before.sizeBytes === document.sizeBytes &&
    before.modifiedMs === document.modifiedMs
  )
}

import { accept, type Result } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import { setImmediate } from 'node:timers/promises'
import type { DocumentIndex } from './document-index.ts'
import { findDocuments, type DocumentsRefusal } from './find-documents.ts'
import { readDocument } from './read-document.ts'

/** What an update did. */
export type IndexUpdate = {
  readonly documents: number
  readonly added: number
  readonly removed: number
  readonly unreadable: number
}

/**
 * Brings the index in line with the folder: reads what is new or has another size or time, drops what
 * is gone. A file that cannot be read is left out with a line in the log. A folder that cannot be
 * searched leaves the index empty and is refused.
 */
export async function updateIndex(
  index: DocumentIndex,
  folder: string,
  logger: Logger,
): Promise<Result<IndexUpdate, DocumentsRefusal>> {
  const found = await findDocuments(folder)
  const files = found.ok ? found.value : []
  const known = new Map((await index.list()).map((document) => [document.file, document]))
  let added = 0
  let unreadable = 0
  for (const document of files) {
    const before = known.get(document.file)
    known.delete(document.file)
    const isSame =
      before?.path === document.path &&
      before.sizeBytes === document.sizeBytes &&
      before.modifiedMs === document.modifiedMs
    if (isSame) continue
    try {
      await index.put(document, await readDocument(document.path))
      added += 1
    } catch (error) {
      unreadable += 1
      await index.remove(document.file)
      logger.warn({ file: document.file, err: error }, 'a document cannot be read')
    }
    // Parsing is work of its own: health checks get their turn in between.
    await setImmediate()
  }
  for (const file of known.keys()) await index.remove(file)
  if (!found.ok) return found
  return accept({ documents: files.length, added, removed: known.size, unreadable })
}

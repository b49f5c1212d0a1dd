import { accept, refuse, type Result } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import { setImmediate } from 'node:timers/promises'
import type { DocumentFile } from './document.ts'
import type { DocumentIndex, IndexedDocument, IndexEntry } from './document-index.ts'
import type { DocumentParser } from './document-parser.ts'
import {
  findDocuments,
  type DocumentFolder,
  type DocumentsRefusal,
  type FoundDocuments,
} from './find-documents.ts'
import { ReadingLimitError } from './reading-thread.ts'

/** What an update did. */
export type IndexUpdate = {
  readonly documents: number
  readonly added: number
  readonly removed: number
  readonly skipped: number
}

export type UpdateIndexOptions = {
  readonly logger: Logger
  readonly parser: DocumentParser
  /** Aborted: stop between two documents. What is read by then stays, and is not read again. */
  readonly signal?: AbortSignal | undefined
  /** Told how far it is, after every few documents. */
  readonly onProgress?: ((progress: IndexProgress) => void) | undefined
}

/** Documents that are done, whether read or unchanged, of all that were found. */
export type IndexProgress = { readonly done: number; readonly total: number }

/** How often progress is logged, in files. */
const PROGRESS_EVERY = 500

const PASSAGES_IN_BATCH = 2000
const DOCUMENTS_IN_BATCH = 100

/** Documents whose bytes are waited for together; what they hold is in memory at once. */
const READ_AT_ONCE = { documents: 16, bytes: 4 * 1024 * 1024 }

const NOTHING: FoundDocuments = { files: [], skipped: [], links: [] }

/**
 * Brings the index in line with the folder: reads what is new or has another size or time, drops what
 * is gone. A file that cannot be read is left out with a line in the log. A folder that cannot be
 * searched leaves the index empty and is refused.
 */
export async function updateIndex(
  index: DocumentIndex,
  folders: readonly DocumentFolder[],
  { logger, onProgress, parser, signal }: UpdateIndexOptions,
): Promise<Result<IndexUpdate, DocumentsRefusal>> {
  const found = await findDocuments(folders)
  const { files, links, skipped } = found.ok ? found.value : NOTHING
  for (const { path, why } of skipped) logger.warn({ path, why }, 'a document is left out')
  if (links.length > 0) {
    logger.warn({ count: links.length, first: links[0] }, 'links are not followed')
  }
  const known = new Map((await index.list()).map((document) => [document.file, document]))
  let added = 0
  let unreadable = 0
  let batch: IndexEntry[] = []
  let passages = 0
  // Many documents share a commit; a batch is bounded by what it holds, not by how many files that is.
  const flush = async (): Promise<void> => {
    await index.putAll(batch)
    added += batch.length
    batch = []
    passages = 0
  }
  const changed = files.filter((document) => {
    const isSame = isUnchanged(document, known.get(document.file))
    if (isSame) known.delete(document.file)
    return !isSame
  })
  let done = files.length - changed.length
  for (const together of toGroups(changed)) {
    const contents = await Promise.all(
      together.map(async ({ path }) =>
        parser.readDocument(path).catch((error: unknown): Unreadable => ({ path, error })),
      ),
    )
    if (signal?.aborted === true) break
    for (const [at, document] of together.entries()) {
      const content = contents[at]
      if (content === undefined) continue
      if ('error' in content) {
        unreadable += 1
        logUnreadable(logger, content)
        continue
      }
      known.delete(document.file)
      batch.push({ document, content })
      passages += content.passages.length
      if (passages >= PASSAGES_IN_BATCH || batch.length >= DOCUMENTS_IN_BATCH) await flush()
    }
    const before = done
    done += together.length
    if (Math.floor(before / PROGRESS_EVERY) < Math.floor(done / PROGRESS_EVERY)) {
      logger.info({ done, total: files.length }, 'indexing documents')
    }
    onProgress?.({ done, total: files.length })
    // Putting them in is work of its own: health checks get their turn in between.
    await setImmediate()
  }
  await flush()
  if (done < files.length) {
    return refuse({ reason: 'documents_unavailable', detail: 'the agent is being closed' })
  }
  await index.removeAll([...known.keys()])
  if (!found.ok) return found
  const documents = files.length - unreadable
  if (documents === 0) {
    const detail = `no document in ${folders.map(({ path }) => path).join(', ')} can be read`
    return refuse({ reason: 'documents_unavailable', detail })
  }
  return accept({
    documents,
    added,
    removed: known.size,
    skipped: skipped.length + unreadable,
  })
}

type Unreadable = { readonly path: string; readonly error: unknown }

function logUnreadable(logger: Logger, { error, path }: Unreadable): void {
  if (error instanceof ReadingLimitError) {
    logger.warn({ path, why: error.message }, 'a document is left out')
  } else logger.warn({ path, err: error }, 'a document cannot be read')
}

/** In order, a few at a time: bounded by their number and by their size. */
function* toGroups(documents: readonly DocumentFile[]): Generator<readonly DocumentFile[]> {
  let group: DocumentFile[] = []
  let bytes = 0
  for (const document of documents) {
    const isFull =
      group.length === READ_AT_ONCE.documents ||
      (group.length > 0 && bytes + document.sizeBytes > READ_AT_ONCE.bytes)
    if (isFull) {
      yield group
      group = []
      bytes = 0
    }
    group.push(document)
    bytes += document.sizeBytes
  }
  if (group.length > 0) yield group
}

function isUnchanged(document: DocumentFile, before: IndexedDocument | undefined): boolean {
  return (
    before?.path === document.path &&
    before.sizeBytes === document.sizeBytes &&
    before.modifiedMs === document.modifiedMs
  )
}

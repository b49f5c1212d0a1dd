// Documents alone, without jobs, models or money: what of the research agent finds sentences.
import type { Logger } from '@deputy/serve'
import { searchSentences, type FoundSentence } from './answer/search-sentences.ts'
import { openLibrary } from './documents/library.ts'
import { openStorage } from './storage/open-storage.ts'

export type DocumentSearchOptions = {
  /** SQLite file; made on the first start. */
  readonly databaseFile: string
  readonly folder: string
  readonly logger: Logger
}

export type DocumentSearch = AsyncDisposable & {
  /** How many documents there are. Throws when there are none. */
  readonly documents: number
  /** The sentences that fit a question best, at most so many. */
  search(question: string, limit: number): Promise<readonly FoundSentence[]>
}

/** Opens a folder of documents; it is indexed when this resolves. */
export async function openDocumentSearch(options: DocumentSearchOptions): Promise<DocumentSearch> {
  await using stack = new AsyncDisposableStack()
  const { documents: index } = stack.use(await openStorage(options.databaseFile))
  const folders = [{ path: options.folder, prefix: '' }]
  const indexed = await stack
    .use(openLibrary(index, folders, { logger: options.logger }))
    .whenIndexed()
  if (!indexed.ok) throw new Error(indexed.refusal.detail)
  const resources = stack.move()
  return {
    documents: indexed.value,
    search: async (question, limit) => searchSentences(index, question, limit),
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

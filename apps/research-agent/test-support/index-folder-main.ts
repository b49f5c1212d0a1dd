// A process that indexes a folder and nothing else: how much memory it needs is seen from outside.
import { createReadingThread } from '../src/documents/reading-thread.ts'
import { updateIndex } from '../src/documents/update-index.ts'
import { openStorage } from '../src/storage/open-storage.ts'
import { silent } from './silent-logger.ts'

const [folder = '', databaseFile = ''] = process.argv.slice(2)
await using storage = await openStorage(databaseFile)
await using stack = new AsyncDisposableStack()
const parser = createReadingThread()
stack.defer(async () => parser.close())
const folders = [{ path: folder, prefix: '' }]
const update = await updateIndex(storage.documents, folders, { logger: silent, parser })
process.stdout.write(JSON.stringify(update.ok ? update.value : update.refusal))

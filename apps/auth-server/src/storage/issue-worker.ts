// The thread that writes the issue log: a batch comes in, and once it is on disk its outcomes go out.
import { openLentWriter, tellError } from '@deputy/storage/lent-writer'
import { parentPort, workerData } from 'node:worker_threads'
import type { IssueBatch, IssueReply, IssueWorkerData } from './issue-batch.ts'
import { createIssueCommit } from './issue-commit.ts'

if (parentPort === null) throw new Error('this runs as a thread of the authorization server')
const port = parentPort
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `openIssueThread` gives
const { file, statements } = workerData as IssueWorkerData
const connection = openLentWriter(file)
const commit = createIssueCommit(connection, statements)

port.on('message', (batch: IssueBatch | 'close') => {
  if (batch === 'close') {
    connection.close()
    port.close()
    return
  }
  port.postMessage(answer(batch))
})

function answer(batch: IssueBatch): IssueReply {
  try {
    return { result: commit(batch) }
  } catch (error) {
    return { fault: tellError(error) }
  }
}

// The server's end of the thread that writes its issue log.
import { DatabaseUnavailableError } from '@deputy/storage'
import type { ToldError } from '@deputy/storage/lent-writer'
import type { SigningHandle } from '../keys/signer.ts'
import { createBatchThread } from '../threads/batch-thread.ts'
import type {
  CommittedBatch,
  IssueBatch,
  IssueMessage,
  IssueReply,
  IssueWorkerData,
} from './issue-batch.ts'

export type IssueThread = {
  /**
   * Commits a batch behind those that are under way, and signs it. Rejects when it could not, or when nobody
   * can say: those behind it are then `refused`, until one begins a chain.
   */
  commit(batch: IssueBatch, handle: SigningHandle | undefined): Promise<CommittedBatch | 'refused'>
  close(): Promise<void>
}

/** Creates the thread's end. */
export function createIssueThread(workerData: IssueWorkerData): IssueThread {
  const thread = createBatchThread<IssueMessage, IssueReply>({
    name: 'the thread of the issue log',
    source: new URL('issue-worker.ts', import.meta.url),
    workerData,
  })
  return {
    async commit(batch, handle) {
      const reply = await thread.send({ batch: JSON.stringify(batch), handle })
      if (reply === 'refused' || !('fault' in reply)) return reply
      throw toError(reply.fault)
    },
    close: async () => thread.close(),
  }
}

function toError({ message, reason }: ToldError): Error {
  const cause = new Error(message)
  return reason === undefined ? cause : new DatabaseUnavailableError(reason, cause)
}

// The server's end of the thread that writes its issue log.
import { DatabaseUnavailableError } from '@deputy/storage'
import type { SigningHandle } from '../keys/signer.ts'
import { createBatchThread } from '../threads/batch-thread.ts'
import type {
  IssueBatch,
  IssueBatchResult,
  IssueMessage,
  IssueReply,
  IssueWorkerData,
} from './issue-batch.ts'

/** What became of a batch. */
export type CommittedBatch = IssueBatchResult & {
  /** `SIGNATURE_BYTES` for each issue that was written and is to be signed, in their order. */
  readonly signatures: Uint8Array
}

export type IssueThread = {
  /** Commits one batch, and signs it; one at a time. Rejects when it could not, or when nobody can say. */
  commit(batch: IssueBatch, handle: SigningHandle | undefined): Promise<CommittedBatch>
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
      if (reply.fault !== undefined) throw toError(reply.fault)
      return { ...reply.result, signatures: reply.signatures }
    },
    close: async () => thread.close(),
  }
}

function toError({ message, reason }: NonNullable<IssueReply['fault']>): Error {
  const cause = new Error(message)
  return reason === undefined ? cause : new DatabaseUnavailableError(reason, cause)
}

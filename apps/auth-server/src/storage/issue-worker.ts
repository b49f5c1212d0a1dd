// The thread that writes the issue log: a batch comes in, and once it is on disk its tokens are signed and its
// outcomes go out.
import { openLentWriter, tellError } from '@deputy/storage/lent-writer'
import { workerData } from 'node:worker_threads'
import { SIGNATURE_BYTES, signNow } from '../keys/sign-now.ts'
import type { SigningHandle } from '../keys/signer.ts'
import { serveBatches } from '../threads/serve-batches.ts'
import type { IssueBatch, IssueMessage, IssueReply, IssueWorkerData } from './issue-batch.ts'
import { createIssueCommit } from './issue-commit.ts'

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `createIssueThread` gives
const { file, statements } = workerData as IssueWorkerData
const connection = openLentWriter(file)
const commit = createIssueCommit(connection, statements)

serveBatches<IssueMessage, IssueReply>({
  answer: ({ batch: text, handle }) => {
    try {
      const batch: IssueBatch = JSON.parse(text)
      const result = commit(batch)
      const written = batch.issues.filter((_issue, place) => result.outcomes[place] === 'written')
      const inputs = written.map(({ jwtInput }) => jwtInput).filter((input) => input !== undefined)
      const signatures = signAll(inputs, handle)
      return { reply: { result, signatures }, transfer: [signatures.buffer] }
    } catch (error) {
      return { reply: { fault: tellError(error) } }
    }
  },
  onClose: () => connection.close(),
})

function signAll(
  inputs: readonly string[],
  handle: SigningHandle | undefined,
): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(inputs.length * SIGNATURE_BYTES)
  if (handle === undefined) return all
  for (const [place, input] of inputs.entries()) {
    all.set(signNow(handle, input), place * SIGNATURE_BYTES)
  }
  return all
}

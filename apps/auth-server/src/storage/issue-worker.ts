// The thread that writes the issue log: batches come in, and once they are on disk their tokens are signed and
// their outcomes go out, one batch after the other, so that the server answers the first while the next is signed.
import { openLentWriter, tellError } from '@deputy/storage/lent-writer'
import { workerData } from 'node:worker_threads'
import { SIGNATURE_BYTES, signNow } from '../keys/sign-now.ts'
import type { SigningHandle } from '../keys/signer.ts'
import { serveBatches, type Answer } from '../threads/serve-batches.ts'
import type { IssueBatch, IssueMessage, IssueReply, IssueWorkerData } from './issue-batch.ts'
import { createIssueCommit, type CommitOutcome } from './issue-commit.ts'

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what `createIssueThread` gives
const { file, statements } = workerData as IssueWorkerData
const connection = openLentWriter(file)
const commit = createIssueCommit(connection, statements)

serveBatches<IssueMessage, IssueReply>({
  *answer(messages) {
    const batches = messages.map(({ batch }): IssueBatch => JSON.parse(batch))
    const outcomes = commit(batches)
    for (const [place, { handle }] of messages.entries()) {
      yield toAnswer(batches[place], outcomes[place], handle)
    }
  },
  onClose: () => connection.close(),
})

function toAnswer(
  batch: IssueBatch | undefined,
  outcome: CommitOutcome | undefined,
  handle: SigningHandle | undefined,
): Answer<IssueReply> {
  if (batch === undefined || outcome === undefined || outcome === 'refused') {
    return { reply: 'refused' }
  }
  try {
    if ('error' in outcome) throw outcome.error
    const written = batch.issues.filter((_issue, place) => outcome.outcomes[place] === 'written')
    const inputs = written.map(({ jwtInput }) => jwtInput).filter((input) => input !== undefined)
    const signatures = signAll(inputs, handle)
    return { reply: { ...outcome, signatures }, transfer: [signatures.buffer] }
  } catch (error) {
    return { reply: { fault: tellError(error) } }
  }
}

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

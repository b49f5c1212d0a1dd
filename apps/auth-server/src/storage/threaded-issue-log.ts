// The issue log on a SQLite file. A thread of its own chains and writes, so that the server goes on while
// the disk works; it takes turns with whoever else writes here, and has a chain of its own.
import type { ChainHead } from '../audit/chain.ts'
import { toStanding } from '../delegation/grant-node.ts'
import type { Issue, IssueLog, IssueOutcome } from '../tokens/issue-log.ts'
import { toGrantRow } from './grant-store.ts'
import type { SentIssue } from './issue-batch.ts'
import { createIssueSender, type IssueSenderOptions } from './issue-sender.ts'
import type { IssueThread } from './issue-thread.ts'

export type ThreadedIssueLogOptions = IssueSenderOptions & { readonly thread: IssueThread }

export type ClosableIssueLog = IssueLog & {
  /** The newest entry that is known to be on disk, where the log has a chain of its own. */
  head(): ChainHead | undefined
  /** Waits for what is under way. */
  close(): Promise<void>
}

/** Creates the log. */
export function createThreadedIssueLog(options: ThreadedIssueLogOptions): ClosableIssueLog {
  const sender = createIssueSender(options)

  async function write(issue: Issue): Promise<IssueOutcome> {
    return new Promise((resolve, reject) => {
      sender.send({ issue: toSent(issue, undefined), handle: undefined, resolve, reject })
    })
  }

  return {
    head: () => sender.head(),
    write,
    async sign(issue, { input, signer }) {
      const { handle } = signer
      // What takes long is not signed by the thread that writes, but by several at once.
      if (handle === undefined) {
        const outcome = await write(issue)
        return outcome === 'written' ? signer.sign(input) : outcome
      }
      return new Promise((resolve, reject) => {
        sender.send({
          issue: toSent(issue, input),
          handle,
          resolve: (outcome, signature) =>
            resolve(outcome === 'written' ? toSigned(signature) : outcome),
          reject,
        })
      })
    },
    touch: async (uses) => sender.touch(uses),
    async close() {
      await sender.whenIdle()
      await options.thread.close()
    },
  }
}

function toSigned(signature: Uint8Array | undefined): Uint8Array {
  if (signature !== undefined) return signature
  throw new TypeError('the thread of the issue log did not sign what it wrote')
}

function toSent({ basis, event, node }: Issue, jwtInput: string | undefined): SentIssue {
  if (node === undefined) return { event, basis, node, jwtInput }
  return {
    event,
    basis,
    node: {
      columns: Object.values(toGrantRow(node)),
      ...toStanding(node),
    },
    jwtInput,
  }
}

// The issue log in the server's own commits: on PostgreSQL, where the database does the work elsewhere, and
// in memory, where there is no file for a thread to write.
import { toStanding } from '../delegation/grant-node.ts'
import type { Issue, IssueOutcome } from '../tokens/issue-log.ts'
import type { AuditWriter } from './audit-writer.ts'
import { createKyselyCredentialUseStore } from './credential-use-store.ts'
import { createKyselyGrantStore } from './grant-store.ts'
import { createKyselyRevocationStore } from './revocation-store.ts'
import type { ClosableIssueLog } from './threaded-issue-log.ts'

/** Issues in one commit, at most. */
const MAX_BATCH = 256

type Waiting = PromiseWithResolvers<IssueOutcome> & { readonly issue: Issue }

/** Creates the log. */
export function createSharedIssueLog(writer: Pick<AuditWriter, 'act'>): ClosableIssueLog {
  const waiting: Waiting[] = []
  let writing: Promise<void> | undefined

  async function commit(take: () => readonly Waiting[]): Promise<readonly IssueOutcome[]> {
    return writer.act(async (transaction, note) => {
      const { version } = await transaction
        .selectFrom('authority')
        .select('version')
        .executeTakeFirstOrThrow()
      const grants = createKyselyGrantStore(transaction)
      const revocations = createKyselyRevocationStore(transaction)
      const outcomes: IssueOutcome[] = []
      for (const { issue } of take()) outcomes.push(await write(issue))
      return outcomes

      async function write({ basis, event, node }: Issue): Promise<IssueOutcome> {
        if (basis !== undefined && basis !== version) return 'outdated'
        if (node !== undefined) {
          // Attack prevented: a dead chain extended in the moment in which it dies.
          await revocations.hold()
          if ((await revocations.findDenial(toStanding(node))) !== undefined) return 'revoked'
          await grants.insert(node)
        }
        note(event)
        return 'written'
      }
    })
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      let batch: readonly Waiting[] = []
      // Only in the transaction: whoever came until it began shares it. Once, should it run again.
      const take = (): readonly Waiting[] =>
        batch.length === 0 ? (batch = waiting.splice(0, MAX_BATCH)) : batch
      try {
        const outcomes = await commit(take)
        for (const [place, { resolve }] of batch.entries()) resolve(outcomes[place] ?? 'outdated')
      } catch (error) {
        for (const { reject } of take()) reject(error)
      }
    }
    writing = undefined
  }

  async function write(issue: Issue): Promise<IssueOutcome> {
    const entry = { ...Promise.withResolvers<IssueOutcome>(), issue }
    waiting.push(entry)
    writing ??= writeAll()
    return entry.promise
  }

  return {
    head: () => undefined,
    write,
    async sign(issue, { input, signer }) {
      const outcome = await write(issue)
      return outcome === 'written' ? signer.sign(input) : outcome
    },
    async touch(uses) {
      await writer.act(async (transaction) =>
        createKyselyCredentialUseStore(transaction).touch(uses),
      )
    },
    async close() {
      await writing
    },
  }
}

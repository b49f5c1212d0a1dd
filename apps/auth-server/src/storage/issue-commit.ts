// One commit of the issue log on SQLite, in the thread that writes it: what changed is looked at, and what
// is still true is chained and written, all in one transaction that lets nobody in between.
import type { SqliteConnection } from '@deputy/storage/lent-writer'
import { boundEvent } from '../audit/bound-event.ts'
import type { TrailEvent } from '../audit/audit-event.ts'
import { chainEvent, createEmptyHead, type ChainHead } from '../audit/chain.ts'
import type { AuthorityVersion } from '../clients/client-directory.ts'
import type { IssueOutcome } from '../tokens/issue-log.ts'
import { toAuditColumns } from './audit-row.ts'
import {
  DENIAL_WIDTH,
  type IssueBatch,
  type IssueBatchResult,
  type IssueStatements,
  type SentIssue,
} from './issue-batch.ts'

/**
 * Commits batches together. Where that throws, none of them is written, or nobody can say: each gets the error,
 * and whatever comes after them is refused, until a batch begins a chain.
 */
export type CommitIssues = (batches: readonly IssueBatch[]) => readonly CommitOutcome[]

/** What became of a batch: `refused` is one that had no chain to go on with. */
export type CommitOutcome = IssueBatchResult | 'refused' | { readonly error: unknown }

/** Where the next entry goes: behind the last one, and behind the entry that begins the chain, until there is one. */
type Chain = { readonly head: ChainHead; readonly start: TrailEvent | undefined }

const query = (sql: string, parameters: readonly unknown[] = []) => ({ sql, parameters })

/** Creates the commit on a connection, which it alone uses. */
export function createIssueCommit(
  connection: SqliteConnection,
  statements: IssueStatements,
): CommitIssues {
  /** A chain whose commit failed is never continued. */
  let chain: Chain | undefined

  function readVersion(): AuthorityVersion | undefined {
    return connection.run<{ version: number }>(query(statements.readVersion)).rows[0]?.version
  }

  function isDenied(kind: 'grant' | 'agent', ids: readonly string[]): boolean {
    for (let from = 0; from < ids.length; from += DENIAL_WIDTH) {
      const part = ids.slice(from, from + DENIAL_WIDTH)
      const padded = [kind, ...part, ...Array<string>(DENIAL_WIDTH - part.length).fill('')]
      if (connection.run(query(statements.findDenial, padded)).rows.length > 0) return true
    }
    return false
  }

  function judge({ basis, node }: SentIssue, version: AuthorityVersion | undefined): IssueOutcome {
    if (basis !== undefined && basis !== version) return 'outdated'
    // Attack prevented: a dead chain extended in the moment in which it dies.
    const isRevoked =
      node !== undefined && (isDenied('grant', node.grantIds) || isDenied('agent', node.agentIds))
    return isRevoked ? 'revoked' : 'written'
  }

  function write(batch: IssueBatch, version: AuthorityVersion | undefined): IssueBatchResult {
    const { at, issues, start, uses } = batch
    if (uses.length > 0) connection.run(query(statements.touchCredentials, [JSON.stringify(uses)]))
    const outcomes = issues.map((issue) => judge(issue, version))
    const written = issues.filter((_issue, place) => outcomes[place] === 'written')
    if (start !== undefined) chain = { head: createEmptyHead(start.writerId), start: start.event }
    if (written.length === 0) return { outcomes, head: undefined }
    if (chain === undefined) throw new Error('a chain must be begun before it goes on')
    let { head } = chain
    const events = written.map(({ event }) => boundEvent(event))
    for (const event of chain.start === undefined ? events : [chain.start, ...events]) {
      const entry = chainEvent(event, head, at)
      connection.run(query(statements.insertEntry, Object.values(toAuditColumns(entry))))
      head = { writerId: entry.writerId, seq: entry.seq, hash: entry.hash }
    }
    for (const { node } of written) {
      if (node !== undefined) connection.run(query(statements.insertNode, node.columns))
    }
    chain = { head, start: undefined }
    return { outcomes, head }
  }

  function commit(batches: readonly IssueBatch[]): readonly IssueBatchResult[] {
    connection.run(query('begin immediate'))
    try {
      const version = readVersion()
      const results = batches.map((batch) => write(batch, version))
      connection.run(query('commit'))
      return results
    } finally {
      if (connection.isTransaction()) connection.run(query('rollback'))
    }
  }

  return (batches) => {
    // Those before it were sent by somebody who did not know yet that the chain had broken off.
    const begins = chain === undefined ? batches.findIndex(({ start }) => start !== undefined) : 0
    const tried = begins === -1 ? [] : batches.slice(begins)
    const refused = batches.slice(0, batches.length - tried.length).map(() => 'refused' as const)
    if (tried.length === 0) return refused
    try {
      return [...refused, ...commit(tried)]
    } catch (error) {
      chain = undefined
      return [...refused, ...tried.map(() => ({ error }))]
    }
  }
}

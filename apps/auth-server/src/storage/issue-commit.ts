// One commit of the issue log on SQLite, in the thread that writes it: what changed is looked at, and what
// is still true is chained and written, all in one transaction that lets nobody in between.
import type { SqliteConnection } from '@deputy/storage/lent-writer'
import { boundEvent } from '../audit/bound-event.ts'
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

/** Commits a batch. Throws what SQLite throws, and has then written nothing, or nobody can say. */
export type CommitIssues = (batch: IssueBatch) => IssueBatchResult

const query = (sql: string, parameters: readonly unknown[] = []) => ({ sql, parameters })

/** Creates the commit on a connection, which it alone uses. */
export function createIssueCommit(
  connection: SqliteConnection,
  statements: IssueStatements,
): CommitIssues {
  let last: ChainHead | undefined

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

  /** Answers the new head, or `undefined` where nothing was to be written. */
  function write(batch: IssueBatch): IssueBatchResult {
    const version = readVersion()
    const { at, issues, start, uses } = batch
    if (uses.length > 0) connection.run(query(statements.touchCredentials, [JSON.stringify(uses)]))
    const outcomes = issues.map((issue) => judge(issue, version))
    const written = issues.filter((_issue, place) => outcomes[place] === 'written')
    if (written.length === 0) return { outcomes, head: undefined }
    let head = start === undefined ? last : createEmptyHead(start.writerId)
    if (head === undefined) throw new Error('a chain must be begun before it goes on')
    const events = written.map(({ event }) => boundEvent(event))
    for (const event of start === undefined ? events : [start.event, ...events]) {
      const entry = chainEvent(event, head, at)
      connection.run(query(statements.insertEntry, Object.values(toAuditColumns(entry))))
      head = { writerId: entry.writerId, seq: entry.seq, hash: entry.hash }
    }
    for (const { node } of written) {
      if (node !== undefined) connection.run(query(statements.insertNode, node.columns))
    }
    return { outcomes, head }
  }

  return (batch) => {
    connection.run(query('begin immediate'))
    try {
      const result = write(batch)
      connection.run(query('commit'))
      last = result.head ?? last
      return result
    } finally {
      if (connection.isTransaction()) connection.run(query('rollback'))
    }
  }
}

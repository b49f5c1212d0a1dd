// The SQL of the issue log, compiled once by Kysely, for a thread that has no Kysely.
import type { Kysely } from 'kysely'
import { toAuditColumns } from './audit-row.ts'
import { TOUCH_CREDENTIALS } from './credential-use-store.ts'
import { toGrantRow } from './grant-store.ts'
import { DENIAL_WIDTH, type IssueStatements } from './issue-batch.ts'
import type { Tables } from './tables.ts'

const NO_TEXTS = Array<string>(DENIAL_WIDTH).fill('')

/** Compiles the statements. */
export function compileIssueStatements(db: Kysely<Tables>): IssueStatements {
  return {
    readVersion: db.selectFrom('authority').select('version').compile().sql,
    findDenial: db
      .selectFrom('revocation')
      .select('seq')
      .where('kind', '=', 'grant')
      .where('denied_id', 'in', NO_TEXTS)
      .compile().sql,
    touchCredentials: TOUCH_CREDENTIALS,
    insertEntry: db.insertInto('audit_entry').values(SAMPLE_ENTRY).compile().sql,
    insertNode: db.insertInto('delegation_grant').values(SAMPLE_NODE).compile().sql,
  }
}

const SAMPLE_ENTRY = toAuditColumns({
  writerId: '',
  seq: 0,
  prevHash: '',
  hash: '',
  at: 0,
  event: '',
  outcome: '',
})

const SAMPLE_NODE = toGrantRow({
  id: '',
  kind: 'token',
  grantPath: [],
  ownerId: '',
  subjectId: '',
  agentId: '',
  actors: [],
  audiences: [],
  scopes: [],
  dropped: [],
  limits: [],
  maxDepth: 0,
  openedBy: '',
  purpose: '',
  createdAt: 0,
  expiresAt: 0,
})

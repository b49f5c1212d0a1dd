import { openDatabase } from '@deputy/storage'
import { openLentWriter } from '@deputy/storage/lent-writer'
import { expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { makeAuditEvent } from '../../test-support/audit.ts'
import { START_AT } from '../../test-support/clock.ts'
import { createStartEvent } from '../audit/trail-entries.ts'
import type { IssueBatch } from './issue-batch.ts'
import { createIssueCommit } from './issue-commit.ts'
import { compileIssueStatements } from './issue-statements.ts'
import { migrations } from './migrations.ts'
import type { Tables } from './tables.ts'

async function openCommit() {
  const folder = await createTemporaryFolder()
  const file = `${folder.path}/file.sqlite`
  const database = await openDatabase<Tables>({ file, migrations })
  const connection = openLentWriter(file)
  const refuse = (table: string): string =>
    `create trigger full before insert on ${table} begin select raise(abort, 'no room'); end`
  return {
    commit: createIssueCommit(connection, compileIssueStatements(database.db)),
    fillDisk: () => connection.run({ sql: refuse('audit_entry'), parameters: [] }),
    emptyDisk: () => connection.run({ sql: 'drop trigger full', parameters: [] }),
    async readLinks() {
      const { db } = database
      return db
        .selectFrom('audit_entry')
        .select(['writer_id', 'seq', 'token_id'])
        .orderBy('id')
        .execute()
    },
    async [Symbol.asyncDispose]() {
      connection.close()
      await database.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

function makeBatch(tokenId: string, writerId?: string, basis?: number): IssueBatch {
  const event = makeAuditEvent({ tokenId })
  return {
    at: START_AT,
    issues: [{ event, basis, node: undefined, jwtInput: undefined }],
    uses: [],
    start: writerId === undefined ? undefined : { writerId, event: createStartEvent(writerId, []) },
  }
}

const written = (seq: number) => ({ outcomes: ['written'], head: { seq } })

test('batches that came together go into one chain, one behind the other', async () => {
  await using log = await openCommit()

  const outcomes = log.commit([makeBatch('token-1', 'first'), makeBatch('token-2')])
  const next = log.commit([makeBatch('token-3')])

  expect(outcomes).toMatchObject([written(2), written(3)])
  expect(next).toMatchObject([written(4)])
})

test('of batches that came together, all or none is written', async () => {
  await using log = await openCommit()
  log.fillDisk()

  const outcomes = log.commit([makeBatch('token-1', 'first'), makeBatch('token-2')])

  expect(outcomes).toMatchObject([{ error: { message: 'no room' } }, { error: {} }])
  expect(await log.readLinks()).toEqual([])
})

// The attack: a chain that goes on over a commit of which nobody knows, and has a gap or a fork.
test('whatever comes behind a commit that failed is refused, until a chain is begun', async () => {
  await using log = await openCommit()
  log.commit([makeBatch('token-1', 'first')])
  log.fillDisk()
  expect(log.commit([makeBatch('token-2')])).toMatchObject([{ error: { message: 'no room' } }])
  log.emptyDisk()

  const behind = log.commit([makeBatch('token-3'), makeBatch('token-4')])
  const anew = log.commit([makeBatch('token-5'), makeBatch('token-6', 'second')])

  expect(behind).toEqual(['refused', 'refused'])
  expect(anew).toMatchObject(['refused', written(2)])
  expect(await log.readLinks()).toMatchObject([
    { writer_id: 'first', seq: 1, token_id: null },
    { writer_id: 'first', seq: 2, token_id: 'token-1' },
    { writer_id: 'second', seq: 1, token_id: null },
    { writer_id: 'second', seq: 2, token_id: 'token-6' },
  ])
})

test('a chain whose first batch had nothing to write begins with the next one', async () => {
  await using log = await openCommit()
  const outdated = makeBatch('token-1', 'first', -1)

  const outcomes = log.commit([outdated])
  expect(await log.readLinks()).toEqual([])
  log.commit([makeBatch('token-2')])

  expect(outcomes).toEqual([{ outcomes: ['outdated'], head: undefined }])
  expect(await log.readLinks()).toMatchObject([
    { writer_id: 'first', seq: 1 },
    { writer_id: 'first', seq: 2, token_id: 'token-2' },
  ])
})

// The authorization server is killed (SIGKILL) in the middle of its work, again and again. What it had
// answered is there when it starts again, and the audit trail verifies.
import { AccessTokenClaims, systemClock } from '@deputy/auth/protocol'
import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { connectAdmin, enrollCast } from '../../apps/auth-server/test-support/admin-client.ts'
import {
  createPlace,
  readOperatorFile,
  type Client,
} from '../../apps/auth-server/test-support/auth-server.ts'
import { startMain, type MainProcess } from '../../apps/auth-server/test-support/main-process.ts'
import { introspect, postToken, revoke } from '../../apps/auth-server/test-support/oauth-request.ts'
import { createPostgresDatabase, postgresUrl } from '../support/postgres-database.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const ROUNDS = 50

/** Requests under way at once. */
const CALLERS = 8

/** Answers after which a round ends. */
const ANSWERS = 40

/** What was answered: ids of tokens that were handed out, and tokens that were ended. */
type Answered = { readonly issued: string[]; readonly revoked: string[] }

/** Asks for tokens and ends every third of them, until the server is gone. */
async function work(main: MainProcess, client: Client, answered: Answered): Promise<void> {
  try {
    for (;;) {
      const { body, status } = await postToken(main, client)
      if (status !== 200) throw new Error(`unexpected status ${String(status)}`)
      const token = String(body['access_token'])
      answered.issued.push(AccessTokenClaims.parse(decodeJwt(token)).jti)
      if (answered.issued.length % 3 !== 0) continue
      const ended = await revoke(main, client, token)
      if (ended.status === 200) answered.revoked.push(token)
    }
  } catch (error) {
    // The connection broke: that request was not answered.
    if (!(error instanceof TypeError)) throw error
  }
}

/** Kills it `ROUNDS` times under load, and answers what is not there afterwards. */
async function killAgainAndAgain(settings: Readonly<Record<string, string>>) {
  await using folder = await createTemporaryFolder()
  const place = await createPlace(folder.path)
  const unlimited = {
    ...settings,
    DEPUTY_RATE_LIMIT_TIERS: '{"standard":null}',
    DEPUTY_LOG_LEVEL: 'info',
  }
  const answered: Answered = { issued: [], revoked: [] }
  let first = startMain(place, unlimited)
  await first.whenReady()
  const file = await readOperatorFile(place.operatorFile)
  const operator = { id: file.client_id, secret: file.client_secret }
  const { issuer } = first
  const admin = connectAdmin({ issuer, operator, clock: systemClock })
  const { alice, bob } = await enrollCast(admin)
  await admin[Symbol.asyncDispose]()
  // Ended in order for once: only then does Node keep what it compiled, for all the starts that follow.
  first.kill('SIGTERM')
  await first.ended
  first = startMain(place, unlimited)
  await first.whenReady()

  for (let round = 0; round < ROUNDS; round += 1) {
    const before = answered.issued.length
    const callers = Array.from({ length: CALLERS }, async () => work(first, alice, answered))
    while (answered.issued.length < before + ANSWERS) await new Promise(setImmediate)
    // SIGKILL, with requests under way.
    await first[Symbol.asyncDispose]()
    await Promise.all(callers)
    first = startMain(place, unlimited)
    await first.whenReady()
  }

  await using main = first
  await using auditor = connectAdmin({ issuer, operator, clock: systemClock })
  const { ok } = await auditor.audit.verify.query()
  const onTrail = new Set<string | undefined>()
  let cursor: number | undefined
  do {
    const page = await auditor.audit.list.query({ actorId: alice.id, limit: 200, cursor })
    for (const { event, tokenId } of page.entries)
      if (event === 'token.issued') onTrail.add(tokenId)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  const revived: string[] = []
  for (const token of answered.revoked) {
    const { body } = await introspect(main, bob, token)
    if (body['active'] !== false) revived.push(token)
  }
  return {
    isTrailWhole: ok,
    isRevocationTried: answered.revoked.length > ROUNDS,
    lost: answered.issued.filter((id) => !onTrail.has(id)),
    revived,
  }
}

const NOTHING_LOST = { isTrailWhole: true, isRevocationTried: true, lost: [], revived: [] }
const TIMEOUT_MS = 300_000

describe('killed again and again, the server loses nothing that was answered', () => {
  test('on SQLite', { timeout: TIMEOUT_MS }, async () => {
    expect(await killAgainAndAgain({})).toEqual(NOTHING_LOST)
  })

  test.skipIf(postgresUrl === undefined)('on PostgreSQL', { timeout: TIMEOUT_MS }, async () => {
    await using database = await createPostgresDatabase()

    const outcome = await killAgainAndAgain({
      DEPUTY_DATABASE_URL: database.url,
      DEPUTY_KEY_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64url'),
    })

    expect(outcome).toEqual(NOTHING_LOST)
  })
})

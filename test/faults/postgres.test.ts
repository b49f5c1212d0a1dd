// Several authorization servers on one PostgreSQL, and PostgreSQL gone and back.
import { CredentialsFile } from '@deputy/auth/protocol'
import { createAuthServer } from '@deputy/auth-server'
import { createLogger } from '@deputy/serve'
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import {
  connectAdmin,
  enrollCast,
  readRefusal,
} from '../../apps/auth-server/test-support/admin-client.ts'
import {
  getToken,
  introspect,
  postToken,
  readOAuthError,
  revoke,
} from '../../apps/auth-server/test-support/oauth-request.ts'
import { findFreePort } from '../support/find-free-port.ts'
import { createPostgresDatabase, postgresUrl, runOnServer } from '../support/postgres-database.ts'
import { createSettableClock } from '../support/settable-clock.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

const KEY = Buffer.alloc(32, 7).toString('base64url')

/** Two servers that are one: the same database, issuer and sealing key. */
async function setUp() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const { url } = stack.use(await createPostgresDatabase())
  const clock = createSettableClock()
  const operatorFile = folder.file('operator.json')
  const ports = [await findFreePort(), await findFreePort()]
  const [one = '', two = ''] = ports.map((port) => `http://127.0.0.1:${String(port)}`)
  for (const port of ports) {
    stack.use(
      await createAuthServer({
        issuer: one,
        port,
        database: { url },
        operatorFile,
        keyEncryptionKey: KEY,
        rateLimitTiers: { standard: null },
        clock,
        logger: createLogger({ name: 'auth-server', level: 'silent' }),
      }),
    )
  }
  const file = CredentialsFile.parse(JSON.parse(await readFile(operatorFile, 'utf8')))
  const operator = { id: file.client_id, secret: file.client_secret }
  const admin = stack.use(connectAdmin({ issuer: one, operator, clock }))
  const cast = await enrollCast(admin)
  const resources = stack.move()
  const close = async (): Promise<void> => resources.disposeAsync()
  const database = new URL(url).pathname.slice(1)
  return {
    one: { issuer: one },
    two: { issuer: two },
    database,
    admin,
    ...cast,
    [Symbol.asyncDispose]: close,
  }
}

describe.skipIf(postgresUrl === undefined)('two servers on one PostgreSQL', () => {
  test('take what the other has issued, and refuse at once what it has ended', async () => {
    await using world = await setUp()
    const token = await getToken(world.one, world.alice)
    const before = await introspect(world.two, world.bob, token)

    await revoke(world.two, world.alice, token)
    const revoked = await introspect(world.one, world.bob, token)
    await world.admin.agents.deactivate.mutate({ id: world.alice.id })
    const deactivated = await postToken(world.two, world.alice)

    expect(before.body).toMatchObject({ active: true })
    expect(revoked.body).toEqual({ active: false })
    expect(readOAuthError(deactivated)).toEqual({ status: 401, error: 'invalid_client' })
  })

  test('keep one audit trail, which verifies, of what many did at both at once', async () => {
    await using world = await setUp()

    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) =>
        postToken(index % 2 === 0 ? world.one : world.two, world.alice),
      ),
    )

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    const verdict = await world.admin.audit.verify.query()
    expect(verdict).toMatchObject({ ok: true })
    const { entries } = await world.admin.audit.list.query({ actorId: world.alice.id, limit: 200 })
    expect(entries).toHaveLength(100)
    expect(new Set(entries.map(({ writerId }) => writerId)).size).toBe(2)
  })

  test('answer 503 while the database is gone, and go on by themselves when it is back', async () => {
    await using world = await setUp()
    const { database } = world
    await runOnServer(`alter database ${database} with allow_connections false`)
    await runOnServer(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${database}'`,
    )

    const during = [
      await postToken(world.one, world.alice),
      await introspect(world.two, world.bob, 'x.y.z'),
      await postToken(world.two, world.alice),
    ]
    const act = await readRefusal(world.admin.agents.list.query())
    await runOnServer(`alter database ${database} with allow_connections true`)
    const after = [await postToken(world.one, world.alice), await postToken(world.two, world.alice)]

    for (const answer of during) {
      expect(readOAuthError(answer)).toEqual({ status: 503, error: 'temporarily_unavailable' })
      expect(answer.headers.get('retry-after')).toBe('5')
    }
    expect(act).toMatchObject({ status: 503, code: 'verifier_unavailable' })
    expect(after.map(({ status }) => status)).toEqual([200, 200])
    expect(await world.admin.audit.verify.query()).toMatchObject({ ok: true })
  })
})

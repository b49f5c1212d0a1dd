import { isAgentSecret } from '@deputy/auth/protocol'
import { createLogger } from '@deputy/serve'
import { existsSync } from 'node:fs'
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { createSettableClock } from '../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { connectAdmin } from '../test-support/admin-client.ts'
import { createPlace, readOperatorFile, startAt, type Place } from '../test-support/auth-server.ts'
import { postToken, send } from '../test-support/oauth-request.ts'
import { ADMIN_SCOPES, AUTH_SERVER_ID, createAuthServer } from './index.ts'
import { openStorage } from './storage/open-storage.ts'

async function createPlaceInFolder() {
  const folder = await createTemporaryFolder()
  const place = await createPlace(folder.path)
  return { ...place, folder: folder.path, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] }
}

/** Starts and stops: all that a test of what a start leaves behind needs. */
async function startOnce(
  place: Place,
  options: { readonly issuer?: string; readonly resetOperator?: boolean } = {},
): Promise<void> {
  const server = await createAuthServer({
    ...place,
    database: { file: place.databaseFile },
    issuer: `http://127.0.0.1:${String(place.port)}`,
    clock: createSettableClock(),
    logger: createLogger({ name: 'auth-server', level: 'silent' }),
    ...options,
  })
  await server.close()
}

async function readMode(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8)
}

async function countOperatorSecrets(place: Place): Promise<number> {
  await using storage = await openStorage({ file: place.databaseFile })
  return (await storage.clientSecrets.listByAgent('operator', 'system')).length
}

describe('the first start', () => {
  test('writes credentials that work into a file for its owner only', async () => {
    await using place = await createPlaceInFolder()
    await using server = await startAt(place)

    const answer = await postToken(server, server.operator)

    expect(answer.body).toMatchObject({ scope: ADMIN_SCOPES.join(' ') })
    expect(await readMode(place.operatorFile)).toBe('600')
    expect(await readMode(dirname(place.operatorFile))).toBe('700')
    expect(await readMode(place.databaseFile)).toBe('600')
    expect(await readMode(dirname(place.databaseFile))).toBe('700')
    expect(await readOperatorFile(place.operatorFile)).toEqual({
      issuer: server.issuer,
      client_id: 'operator',
      client_secret: server.operator.secret,
      scope: ADMIN_SCOPES.join(' '),
      token_endpoint: `${server.issuer}/oauth/token`,
    })
  })

  test('lets the operator name the server by its URL, as it names itself', async () => {
    await using place = await createPlaceInFolder()
    await using server = await startAt(place)

    const described = await send(`${server.issuer}/.well-known/oauth-protected-resource`)
    const { resource } = z.object({ resource: z.string() }).parse(described.body)
    const answer = await postToken(server, server.operator, { resource })

    expect(answer.body).toMatchObject({ scope: ADMIN_SCOPES.join(' ') })
  })

  test('makes a random secret, never the same on two servers', async () => {
    // Attack: a built-in password that everyone knows.
    await using one = await createPlaceInFolder()
    await using two = await createPlaceInFolder()
    await using first = await startAt(one)
    await using second = await startAt(two)

    const secrets = [first.operator.secret, second.operator.secret]

    expect(secrets.map((secret) => isAgentSecret(secret, 'clientSecret'))).toEqual([true, true])
    expect(new Set(secrets).size).toBe(2)
    expect((await postToken(second, first.operator)).status).toBe(401)
  })

  test('is over when the server says that it is ready', async () => {
    await using place = await createPlaceInFolder()
    await using server = await startAt(place)

    const { body, status } = await send(`${server.issuer}/readyz`)

    expect({ body, status }).toEqual({ body: { status: 'ready' }, status: 200 })
  })

  test('keeps the secret out of the database', async () => {
    await using place = await createPlaceInFolder()
    await startOnce(place)
    const { client_secret: secret } = await readOperatorFile(place.operatorFile)

    const files = await Promise.all(
      ['', '-wal'].map(async (suffix) =>
        readFile(place.databaseFile + suffix, 'latin1').catch(() => ''),
      ),
    )

    expect(files[0]).toContain('operator')
    expect(files.join('')).not.toContain(secret)
  })

  test('leaves no draft behind, and no file that someone else can read through one', async () => {
    // Attack: in a folder that others may write to, a file or a link waits under the draft's name, and
    // the secret is written into what the attacker has open.
    await using place = await createPlaceInFolder()
    await mkdir(dirname(place.operatorFile), { recursive: true })
    const trap = join(place.folder, 'trap')
    await writeFile(trap, 'empty')
    await chmod(trap, 0o666)
    await symlink(trap, `${place.operatorFile}.new`)

    await startOnce(place)

    expect(await readFile(trap, 'utf8')).toBe('empty')
    expect(await readMode(place.operatorFile)).toBe('600')
    expect(await readdir(dirname(place.operatorFile))).toEqual([
      'operator.json',
      'operator.json.new',
    ])
  })

  test('makes no operator when the port is taken', async () => {
    // Otherwise the second of two servers would lock the operator's file to a database in vain.
    await using place = await createPlaceInFolder()
    const squatter = createServer()
    squatter.listen(place.port, '127.0.0.1')
    await once(squatter, 'listening')

    const start = startOnce(place)

    await expect(start).rejects.toMatchObject({ code: 'listen_failed' })
    squatter.close()
    expect(existsSync(place.operatorFile)).toBe(false)
    expect(await countOperatorSecrets(place)).toBe(0)
  })

  test('gives the port back when the operator file cannot be written', async () => {
    await using place = await createPlaceInFolder()
    await writeFile(join(place.folder, 'a-file'), '')
    const blocked = { ...place, operatorFile: join(place.folder, 'a-file', 'operator.json') }

    await expect(startOnce(blocked)).rejects.toThrow(/ENOTDIR|EEXIST/)

    expect(await countOperatorSecrets(place)).toBe(0)
    await expect(startOnce(place)).resolves.toBeUndefined()
  })
})

describe('a later start', () => {
  test('changes nothing', async () => {
    await using place = await createPlaceInFolder()
    await startOnce(place)
    const before = await readFile(place.operatorFile, 'utf8')

    await startOnce(place)

    expect(await readFile(place.operatorFile, 'utf8')).toBe(before)
    expect(await countOperatorSecrets(place)).toBe(1)
  })

  test('writes a moved issuer into the file, with the same secret', async () => {
    await using place = await createPlaceInFolder()
    await startOnce(place)
    const before = await readOperatorFile(place.operatorFile)

    await startOnce(place, { issuer: 'https://auth.example' })

    expect(await readOperatorFile(place.operatorFile)).toEqual({
      ...before,
      issuer: 'https://auth.example',
      token_endpoint: 'https://auth.example/oauth/token',
    })
    expect(await readMode(place.operatorFile)).toBe('600')
    expect(await countOperatorSecrets(place)).toBe(1)
  })

  test('makes no file again that the operator took away', async () => {
    await using place = await createPlaceInFolder()
    await startOnce(place)
    await rm(place.operatorFile)

    await startOnce(place)

    expect(existsSync(place.operatorFile)).toBe(false)
    expect(await countOperatorSecrets(place)).toBe(1)
  })

  test('makes a new secret in place of the old one when told to reset the operator, and says so on the trail', async () => {
    await using place = await createPlaceInFolder()
    await startOnce(place)
    const before = await readOperatorFile(place.operatorFile)
    await rm(place.operatorFile)

    await startOnce(place, { resetOperator: true })

    const after = await readOperatorFile(place.operatorFile)
    expect(after.client_secret).not.toBe(before.client_secret)
    await using server = await startAt(place)
    const statuses = await Promise.all(
      [before, after].map(async ({ client_id: id, client_secret: secret }) => {
        return (await postToken(server, { id, secret })).status
      }),
    )
    // Attack: whoever found the lost file goes on using it.
    expect(statuses).toEqual([401, 200])
    await using admin = connectAdmin(server)
    const { entries } = await admin.audit.list.query({ event: 'operator.reset' })
    expect(entries).toMatchObject([
      {
        outcome: 'success',
        ownerId: 'system',
        subjectId: 'operator',
        target: { kind: 'client_secret' },
      },
    ])
  })

  test('gives the operator its authority back when told to reset it', async () => {
    await using place = await createPlaceInFolder()
    {
      await using server = await startAt(place)
      await using admin = connectAdmin(server)
      await admin.agents.update.mutate({ id: 'operator', settings: { scopes: [], audiences: [] } })
    }

    await startOnce(place, { resetOperator: true })

    await using server = await startAt(place)
    await using admin = connectAdmin(server)
    expect(await admin.agents.get.query({ id: 'operator' })).toMatchObject({
      scopes: [...ADMIN_SCOPES],
      audiences: [AUTH_SERVER_ID],
    })
  })

  test.each([
    ['is not JSON', '{"client_secret": "cs-agent-almost'],
    ['lacks members', '{"client_secret": "cs-agent-almost"}'],
  ])('names an operator file that %s, and shows nothing of it', async (_, text) => {
    await using place = await createPlaceInFolder()
    await startOnce(place)
    await writeFile(place.operatorFile, text)

    const error = await startOnce(place).catch((thrown: unknown) => thrown)

    expect(error).toBeInstanceOf(Error)
    expect(String(error)).toContain(place.operatorFile)
    expect(String(error)).not.toContain('cs-agent')
    expect(String(error)).not.toContain('\n')
  })
})

describe('close', () => {
  test('lets a second caller wait for the same end', async () => {
    await using place = await createPlaceInFolder()
    const server = await startAt(place)
    let isClosed = false

    const first = server.close().then(() => {
      isClosed = true
      return undefined
    })
    await server.close()

    expect(isClosed).toBe(true)
    await first
  })
})

import { createServer } from 'node:net'
import { existsSync } from 'node:fs'
import { once } from 'node:events'
import { chmod } from 'node:fs/promises'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../test/support/temporary-folder.ts'
import { createPlace, readOperatorFile, startAt } from '../test-support/auth-server.ts'
import { decodeProtectedHeader } from 'jose'
import { startMain } from '../test-support/main-process.ts'
import { basic, getToken, postToken, send } from '../test-support/oauth-request.ts'
import { openStorage } from './storage/open-storage.ts'

async function createPlaceInFolder() {
  const folder = await createTemporaryFolder()
  const place = await createPlace(folder.path)
  return { ...place, file: folder.file, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] }
}

describe('main', () => {
  test.each([
    ['PORT', 'eighty'],
    ['DEPUTY_ISSUER', 'auth.example'],
    ['DEPUTY_LOG_LEVEL', 'loud'],
  ])('says in one sentence that %s is wrong, and exits with 1', async (name, value) => {
    await using place = await createPlaceInFolder()
    await using main = startMain(place, { [name]: value })

    const { exitCode, stderr, stdout } = await main.ended

    expect(stderr).toMatch(
      new RegExp(`^auth-server: these settings are wrong: ${name}: [^\\n]+\\n$`),
    )
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(existsSync(place.databaseFile)).toBe(false)
  })

  test('says in one sentence that its port is taken, and exits with 1', async () => {
    await using place = await createPlaceInFolder()
    await using squatter = createServer()
    squatter.listen(place.port, '127.0.0.1')
    await once(squatter, 'listening')
    await using main = startMain(place)

    const { exitCode, stderr, stdout } = await main.ended

    expect(stderr).toMatch(/^auth-server: 127\.0\.0\.1:\d+ is already in use: [^\n]+\n$/)
    expect([exitCode, stdout]).toEqual([1, ''])
  })

  test('says in one sentence that its database is none, and exits with 1', async () => {
    await using place = await createPlaceInFolder()
    const databaseFile = import.meta.filename
    await using main = startMain({ ...place, databaseFile })

    const { exitCode, stderr } = await main.ended

    expect(stderr).toMatch(/^auth-server: cannot open the database [^\n]+\n$/)
    expect(exitCode).toBe(1)
  })

  // Node tries for ever to make a folder there.
  test.runIf(process.platform === 'linux').each(['databaseFile', 'operatorFile'] as const)(
    'says in one sentence that there is no place for its %s, and exits with 1',
    async (name) => {
      await using place = await createPlaceInFolder()
      await using main = startMain({ ...place, [name]: '/proc/none/of/it' })

      const { exitCode, stderr } = await main.ended

      expect(stderr).toMatch(/^auth-server: [^\n]*ENOENT[^\n]*\/proc\/none[^\n]*$/m)
      expect(exitCode).toBe(1)
    },
  )

  test('takes a free port when it is told 0, and says where it is bound', async () => {
    await using place = await createPlaceInFolder()
    await using main = startMain(place, { PORT: '0', DEPUTY_ISSUER: 'https://auth.example' })

    await main.whenLogged('listening')

    const line = main.output().match(/^.*"msg":"listening".*$/m)?.[0] ?? ''
    const { listensOn, url } = JSON.parse(line) as { listensOn: string; url: string }
    expect(url).toBe('https://auth.example')
    expect(listensOn).toMatch(/^127\.0\.0\.1:[1-9]\d*$/)
    const { body } = await send(`http://${listensOn}/.well-known/oauth-authorization-server`)
    expect(body).toMatchObject({ issuer: 'https://auth.example' })
  })

  test.each([
    ['a sealing key that is not the one it was', { DEPUTY_KEY_ENCRYPTION_KEY: 'A'.repeat(43) }, 0],
    ['a key file that others can read', {}, 0o044],
  ])('says in one sentence that it has %s, and exits with 1', async (_what, environment, bits) => {
    await using place = await createPlaceInFolder()
    await (await startAt(place)).close()
    await chmod(`${place.databaseFile}.key`, 0o600 | bits)
    await using main = startMain(place, environment)

    const { exitCode, stderr, stdout } = await main.ended

    expect(stderr).toMatch(/^auth-server: [^\n]*(DEPUTY_KEY_ENCRYPTION_KEY|\.key)[^\n]*\n$/)
    expect([exitCode, stdout]).toEqual([1, ''])
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s', async (signal) => {
    await using place = await createPlaceInFolder()
    await using main = startMain(place)
    await main.whenReady()

    main.kill(signal)

    const { exitCode, stderr, stdout } = await main.ended
    expect(stderr).toContain('"msg":"closed"')
    expect([exitCode, stdout]).toEqual([0, ''])
  })

  test('signs with the algorithm, and seals with the key, that it is told to', async () => {
    await using place = await createPlaceInFolder()
    await using main = startMain(place, {
      DEPUTY_SIGNING_ALGORITHM: 'EdDSA',
      DEPUTY_KEY_ENCRYPTION_KEY: 'A'.repeat(43),
    })
    await main.whenReady()
    const { client_id: id, client_secret: secret } = await readOperatorFile(place.operatorFile)

    const token = await getToken(main, { id, secret })

    expect(decodeProtectedHeader(token).alg).toBe('EdDSA')
    expect(existsSync(`${place.databaseFile}.key`)).toBe(false)
  })

  test('answers the request that is under way before it exits', async () => {
    await using place = await createPlaceInFolder()
    await using main = startMain(place)
    await main.whenReady()
    const { client_id: id, client_secret: secret } = await readOperatorFile(place.operatorFile)
    const form = 'grant_type=client_credentials'
    const slow = request(`${main.issuer}/oauth/token`, {
      method: 'POST',
      headers: {
        ...basic({ id, secret }),
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': form.length,
        expect: '100-continue',
      },
    })
    slow.flushHeaders()
    // "100 Continue" is the server's word that the request has begun.
    await once(slow, 'continue')

    main.kill('SIGTERM')
    await main.whenLogged('closing')
    slow.end(form)
    const [response] = await once(slow, 'response')

    expect(response.statusCode).toBe(200)
    expect(await text(response)).toContain('access_token')
    expect((await main.ended).exitCode).toBe(0)
  })

  test('lets two first starts on one file agree on one signing key, and on an operator who can come in', async () => {
    await using place = await createPlaceInFolder()
    const other = await createPlace(place.file())
    // The tables are there already: what is tested is who makes the key and the operator.
    await (await openStorage({ file: place.databaseFile })).close()
    await using one = startMain(place)
    await using two = startMain(other)

    await Promise.all([one.whenReady(), two.whenReady()])

    const [keysOfOne, keysOfTwo] = await Promise.all(
      [one, two].map(async ({ issuer }) => send(`${issuer}/.well-known/jwks.json`)),
    )
    expect(keysOfOne?.body).toMatchObject({ keys: [{ kty: 'EC' }, { kty: 'EC' }] })
    expect(keysOfOne?.text).toBe(keysOfTwo?.text)
    const { client_id: id, client_secret: secret } = await readOperatorFile(place.operatorFile)
    const answers = await Promise.all(
      [one, two].map(async (server) => postToken(server, { id, secret })),
    )
    expect(answers.map(({ status }) => status)).toEqual([200, 200])
  })
})

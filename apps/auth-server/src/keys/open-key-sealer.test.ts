import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createTemporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { makeActiveKey, makeSealingKey } from '../../test-support/signing-keys.ts'
import { openStorage } from '../storage/open-storage.ts'
import { createKeyFile } from './key-file.ts'
import { openKeySealer, type OpenKeySealerOptions } from './open-key-sealer.ts'

const ENCODED = Buffer.from(makeSealingKey(1)).toString('base64url')
const OTHER = Buffer.from(makeSealingKey(2)).toString('base64url')

/** A store, and where its key file is or will be. */
async function createPlace() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const { signingKeys: store } = stack.use(
    await openStorage({ file: folder.file('data', 'test.sqlite') }),
  )
  const keyFile = folder.file('data', 'test.sqlite.key')
  const resources = stack.move()
  const open = async (options: Partial<OpenKeySealerOptions> = {}) =>
    openKeySealer({ store, keyFile, ...options })
  return {
    store,
    keyFile,
    open,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

describe('a database in memory', () => {
  test('has its key in memory too, and leaves no file in the working folder', async () => {
    await using place = await createPlace()

    const sealer = await place.open({ keyFile: ':memory:' })

    expect(sealer.open('one', sealer.seal('one', 'private'))).toBe('private')
    expect((await readdir('.')).filter((name) => name.startsWith(':memory:'))).toEqual([])
  })
})

describe('a key file', () => {
  test('is made at the first start, for its owner only, with 32 random bytes', async () => {
    await using one = await createPlace()
    await using two = await createPlace()

    await one.open()
    await two.open()

    const [text, other] = await Promise.all(
      [one, two].map(async ({ keyFile }) => readFile(keyFile, 'utf8')),
    )
    expect(text).toMatch(/^[A-Za-z0-9_-]{43}\n$/)
    expect(text).not.toBe(other)
    expect((await stat(one.keyFile)).mode & 0o777).toBe(0o600)
  })

  test('is made with its folder when that is missing, for its owner only', async () => {
    await using place = await createPlace()
    const keyFile = `${dirname(place.keyFile)}/deep/test.key`

    await place.open({ keyFile })

    expect((await stat(dirname(keyFile))).mode & 0o777).toBe(0o700)
  })

  test('is the same at the next start', async () => {
    await using place = await createPlace()
    const sealed = (await place.open()).seal('one', 'private')

    const sealer = await place.open()

    expect(sealer.open('one', sealed)).toBe('private')
  })

  test('is one file for many first starts at once, and nothing lies beside it', async () => {
    await using place = await createPlace()

    const sealers = await Promise.all(Array.from({ length: 10 }, async () => place.open()))

    const sealed = sealers[0]?.seal('one', 'private') ?? ''
    expect(sealers.map((sealer) => sealer.open('one', sealed))).toEqual(
      sealers.map(() => 'private'),
    )
    const names = await readdir(dirname(place.keyFile))
    expect(names.filter((name) => name.includes('.key'))).toEqual(['test.sqlite.key'])
  })

  test('is not replaced by a server that found none a moment before', async () => {
    // Otherwise what the faster server sealed could never be opened again.
    await using place = await createPlace()
    await createKeyFile(place.keyFile)
    const first = await readFile(place.keyFile, 'utf8')

    await createKeyFile(place.keyFile)

    expect(await readFile(place.keyFile, 'utf8')).toBe(first)
  })

  test.each([0o640, 0o604, 0o620, 0o602])('is refused with mode %o', async (mode) => {
    // Attack: a group or everybody may read the key, and a backup of the database is enough to sign.
    await using place = await createPlace()
    await place.open()
    await chmod(place.keyFile, mode)

    await expect(place.open()).rejects.toThrow(
      `${place.keyFile} can be read by others than its owner: chmod 600 it`,
    )
  })

  test('is refused when it is a link', async () => {
    // Attack: a link under its name leads to a key that somebody else knows.
    await using place = await createPlace()
    const trap = `${place.keyFile}.trap`
    await writeFile(trap, `${ENCODED}\n`, { mode: 0o600 })
    await symlink(trap, place.keyFile)

    await expect(place.open()).rejects.toThrow(`cannot read ${place.keyFile}: ELOOP`)
  })

  test.each([
    ['nothing', ''],
    ['too little', ENCODED.slice(1)],
    ['too much', `${ENCODED}A`],
    ['another alphabet', `${ENCODED.slice(1)}=`],
    ['a book', 'A'.repeat(5000)],
  ])('is refused when it holds %s, without a word of it', async (_what, text) => {
    await using place = await createPlace()
    await writeFile(place.keyFile, text, { mode: 0o600 })

    const message = await place.open().then(String, String)

    expect(message).toMatch(`KeySealError: ${place.keyFile} does not hold a key`)
    expect(message).not.toContain(text.slice(0, 30) || 'nothing to find')
  })

  test('is refused when it is a folder', async () => {
    await using place = await createPlace()
    await mkdir(place.keyFile, { mode: 0o700 })

    await expect(place.open()).rejects.toThrow(`${place.keyFile} does not hold a key`)
  })

  test('is not made anew when sealed keys are there: a new one could not open them', async () => {
    // A database that was restored without its key file.
    await using place = await createPlace()
    const sealer = await place.open()
    const sealedPrivateKey = sealer.seal('one', 'private')
    await place.store.insertFirst({ ...makeActiveKey('one'), sealedPrivateKey })
    await rm(place.keyFile)

    await expect(place.open()).rejects.toThrow(
      `${place.keyFile} is missing, and the signing keys in the database are sealed under it`,
    )
    await expect(stat(place.keyFile)).rejects.toThrow('ENOENT')
  })

  test('says why it cannot be made', async () => {
    await using place = await createPlace()
    const blocked = `${dirname(place.keyFile)}/test.sqlite/key`

    await expect(place.open({ keyFile: blocked })).rejects.toThrow(
      `cannot read ${blocked}: ENOTDIR`,
    )
  })
})

describe('a key from the environment', () => {
  test('is used, and no file is made', async () => {
    await using place = await createPlace()

    const sealed = (await place.open({ encryptionKey: ENCODED })).seal('one', 'private')

    expect((await place.open({ encryptionKey: ENCODED })).open('one', sealed)).toBe('private')
    await expect(stat(place.keyFile)).rejects.toThrow('ENOENT')
  })

  test('opens what the file sealed, once the text of the file is named as a previous key', async () => {
    await using place = await createPlace()
    const sealed = (await place.open()).seal('one', 'private')
    const previous = (await readFile(place.keyFile, 'utf8')).trim()

    const without = await place.open({ encryptionKey: OTHER })
    const sealer = await place.open({ encryptionKey: OTHER, previousEncryptionKeys: [previous] })

    expect(() => without.open('one', sealed)).toThrow('DEPUTY_KEY_ENCRYPTION_KEY')
    expect(sealer.open('one', sealed)).toBe('private')
    expect(sealer.isCurrent(sealed)).toBe(false)
  })

  test('is named when it is wrong, without a word of it', async () => {
    await using place = await createPlace()
    const wrong = `${ENCODED}x`

    const messages = await Promise.all([
      place.open({ encryptionKey: wrong }).then(String, String),
      place.open({ previousEncryptionKeys: [OTHER, wrong] }).then(String, String),
    ])

    expect(messages).toEqual([
      'KeySealError: DEPUTY_KEY_ENCRYPTION_KEY must be 32 bytes in base64url',
      'KeySealError: DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS must be 32 bytes in base64url',
    ])
  })

  test('is required where there is no file that servers could share', async () => {
    await using place = await createPlace()

    await expect(place.open({ keyFile: undefined })).rejects.toThrow(
      'DEPUTY_KEY_ENCRYPTION_KEY is required where servers share a database',
    )
  })
})

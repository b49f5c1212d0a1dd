import { openDatabase } from '@deputy/storage'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { createSettableClock } from '../../../../../test/support/settable-clock.ts'
import { createTemporaryFolder } from '../../../../../test/support/temporary-folder.ts'
import { START_AT } from '../../../test-support/clock.ts'
import { isSignedBy, makeActiveKey, openTestKeyRing } from '../../../test-support/signing-keys.ts'
import { migrations } from '../migrations.ts'
import { openStorage } from '../open-storage.ts'
import type { Tables } from '../tables.ts'

type ReleasedTables = {
  signing_key: {
    kid: string
    algorithm: string
    public_jwk: string
    private_jwk: string
    created_at: number
  }
}

/** A database as the first release left it: one key, its private half in plain JSON. */
async function writeReleasedDatabase(file: string) {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const [privateJwk, publicJwk] = await Promise.all([exportJWK(privateKey), exportJWK(publicKey)])
  const kid = await calculateJwkThumbprint(publicJwk)
  const first = Object.entries(migrations).filter(([name]) => name.startsWith('001-'))
  await using database = await openDatabase<ReleasedTables>({
    file,
    migrations: Object.fromEntries(first),
  })
  await database.db
    .insertInto('signing_key')
    .values({
      kid,
      algorithm: 'ES256',
      public_jwk: JSON.stringify(publicJwk),
      private_jwk: JSON.stringify(privateJwk),
      created_at: START_AT - 1000,
    })
    .execute()
  const token = await new SignJWT({ sub: 'agent-alice' })
    .setProtectedHeader({ alg: 'ES256', kid })
    .sign(privateKey)
  return { kid, token, secret: privateJwk.d ?? '' }
}

test('the key of an earlier version goes on, sealed, with a next key beside it', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('test.sqlite')
  const { kid, secret, token } = await writeReleasedDatabase(file)
  expect(secret).toHaveLength(43)
  expect(await readFile(file, 'latin1')).toContain(secret)

  await using storage = await openStorage({ file: file })
  const ring = await openTestKeyRing({
    store: storage.signingKeys,
    clock: createSettableClock(),
  })

  expect(ring.signer().kid).toBe(kid)
  expect(await isSignedBy(token, ring.publicKeys())).toBe(true)
  expect(ring.publicKeys().keys).toHaveLength(2)
  expect(await ring.list()).toContainEqual(
    expect.objectContaining({ kid, state: 'active', activatedAt: START_AT - 1000 }),
  )
  // Attack: what lay unsealed is read out of the file's free space, or out of a later backup.
  for (const name of [file, `${file}-wal`]) {
    expect(await readFile(name, 'latin1')).not.toContain(secret)
  }
})

test('nothing of what a private half was sealed as before is left in the file', async () => {
  await using folder = await createTemporaryFolder()
  const file = folder.file('test.sqlite')
  // So long that SQLite frees whole pages, which it does not clear unless it is told to.
  const from = 'unsealed'.repeat(2000)
  await using storage = await openStorage({ file: file })
  await storage.signingKeys.insertFirst({ ...makeActiveKey('one'), sealedPrivateKey: from })

  await storage.signingKeys.reseal('one', { from, to: 'v1.sealed' })

  for (const name of [file, `${file}-wal`]) {
    expect(await readFile(name, 'latin1')).not.toContain('unsealedunsealed')
  }
})

test('a retired key has no private half in its row', async () => {
  // Attack: database and sealing key are stolen together, and old keys sign again.
  await using folder = await createTemporaryFolder()
  const file = folder.file('test.sqlite')
  await using storage = await openStorage({ file: file })
  const clock = createSettableClock()
  const ring = await openTestKeyRing({ store: storage.signingKeys, clock })
  clock.advance(120)
  await ring.rotate()

  await using database = await openDatabase<Tables>({ file, migrations })
  const rows = await database.db.selectFrom('signing_key').selectAll().execute()

  const isErased = rows.map(({ sealed_private_jwk: text, state }) => [state, text === ''])
  expect(Object.fromEntries(isErased)).toEqual({ active: false, next: false, retired: true })
})

test('there is never more than one active key, nor more than one next key', async () => {
  await using storage = await openStorage({ file: ':memory:' })
  await openTestKeyRing({ store: storage.signingKeys, clock: createSettableClock() })
  const [one] = await storage.signingKeys.list()
  if (one === undefined || one.state === 'retired') throw new TypeError('there is no key')

  const next = { ...one, kid: 'second next', state: 'next' } as const
  const active = { ...one, kid: 'second active', state: 'active', activatedAt: START_AT } as const

  expect(await storage.signingKeys.insertNext(next)).toBe(false)
  expect(await storage.signingKeys.insertFirst(active)).toBe(false)
})

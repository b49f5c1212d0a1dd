import { describe, expect, test } from 'vitest'
import { makeSealingKey } from '../../test-support/signing-keys.ts'
import { createAesGcmKeySealer } from './aes-gcm-key-sealer.ts'
import { KeySealError } from './key-sealer.ts'

const source = 'DEPUTY_KEY_ENCRYPTION_KEY'
const sealer = createAesGcmKeySealer({ key: makeSealingKey(1), source })
const PLAINTEXT = '{"d":"the private half"}'

/** What opening throws. */
function openingOf(open: () => unknown): KeySealError {
  try {
    open()
  } catch (error) {
    if (error instanceof KeySealError) return error
    throw error
  }
  throw new Error('it was opened')
}

/** Changes one bit of one byte of a part. */
function flip(sealed: string, part: number, byte: number): string {
  const parts = sealed.split('.')
  const bytes = Buffer.from(parts[part] ?? '', 'base64url')
  bytes[byte] = (bytes[byte] ?? 0) ^ 1
  return parts.with(part, bytes.toString('base64url')).join('.')
}

describe('the AES-GCM sealer', () => {
  test('opens what it sealed', () => {
    const sealed = sealer.seal('one', PLAINTEXT)

    expect(sealer.open('one', sealed)).toBe(PLAINTEXT)
    expect(sealer.isCurrent(sealed)).toBe(true)
  })

  test('shows nothing of the plaintext, nor that two are the same', () => {
    const [one, two] = [sealer.seal('one', PLAINTEXT), sealer.seal('one', PLAINTEXT)]

    expect(Buffer.from(one.split('.')[3] ?? '', 'base64url').toString('latin1')).not.toContain(
      'private',
    )
    expect(one).not.toBe(two)
  })

  test('does not open under another key, and says which setting to mend', () => {
    // Attack: a stolen database is opened by a server with a key of the thief's own.
    const other = createAesGcmKeySealer({ key: makeSealingKey(2), source })

    const error = openingOf(() => other.open('one', sealer.seal('one', PLAINTEXT)))

    expect(error.message).toMatch(/the signing key one was sealed under another key than that of/)
    expect(error.message).toContain('DEPUTY_KEY_ENCRYPTION_KEY')
    expect(error.message).toContain('DEPUTY_PREVIOUS_KEY_ENCRYPTION_KEYS')
  })

  test('does not open under another key that is given the same name', () => {
    // Attack: the name of the sealing key is rewritten so that the thief's own is tried.
    const other = createAesGcmKeySealer({ key: makeSealingKey(2), source })
    const [, name = ''] = other.seal('one', PLAINTEXT).split('.')
    const renamed = sealer.seal('one', PLAINTEXT).split('.').with(1, name).join('.')

    expect(openingOf(() => other.open('one', renamed)).message).toContain('was changed')
  })

  test('does not open for another kid', () => {
    // Attack: who can write to the database puts the sealed key of one row into another, so that a
    // key which was thrown away signs again under a name that verifiers trust.
    const sealed = sealer.seal('one', PLAINTEXT)

    expect(openingOf(() => sealer.open('two', sealed)).message).toContain('the signing key two')
  })

  test.each([
    ['nonce', 2, 0],
    ['ciphertext', 3, 0],
    ['ciphertext', 3, 23],
    ['tag', 4, 15],
  ])('does not open when the %s was changed', (_what, part, byte) => {
    const changed = flip(sealer.seal('one', PLAINTEXT), part, byte)

    const error = openingOf(() => sealer.open('one', changed))

    expect(error.message).toContain('was changed in the database')
    expect(error.cause).toBeUndefined()
  })

  test('does not open with a tag that was cut short', () => {
    // Attack: GCM takes tags of 4 bytes, which can be guessed, unless it is told not to.
    const parts = sealer.seal('one', PLAINTEXT).split('.')
    const tag = Buffer.from(parts[4] ?? '', 'base64url').subarray(0, 4)
    const short = parts.with(4, tag.toString('base64url')).join('.')

    expect(openingOf(() => sealer.open('one', short)).message).toContain('was changed')
  })

  test.each(['', PLAINTEXT, 'v2.a.b.c.d'])('does not open %j, which is not sealed', (text) => {
    expect(openingOf(() => sealer.open('one', text)).message).toContain('is not sealed')
    expect(sealer.isCurrent(text)).toBe(false)
  })

  test('says nothing of a key or of what was sealed, whatever goes wrong', () => {
    const other = createAesGcmKeySealer({ key: makeSealingKey(2), source })
    const sealed = sealer.seal('one', PLAINTEXT)

    const texts = [
      () => other.open('one', sealed),
      () => sealer.open('two', sealed),
      () => sealer.open('one', PLAINTEXT),
    ].map((open) => {
      const { message, stack } = openingOf(open)
      return `${message} ${String(stack)}`
    })

    for (const text of texts) {
      expect(text).not.toContain('private half')
      expect(text).not.toContain(sealed.split('.')[3])
      expect(text).not.toContain(Buffer.from(makeSealingKey(1)).toString('base64url'))
    }
  })

  test('opens what a former key sealed, and tells that it is to be sealed anew', () => {
    const sealed = sealer.seal('one', PLAINTEXT)
    const changed = createAesGcmKeySealer({
      key: makeSealingKey(3),
      previousKeys: [makeSealingKey(2), makeSealingKey(1)],
      source,
    })

    expect(changed.open('one', sealed)).toBe(PLAINTEXT)
    expect(changed.isCurrent(sealed)).toBe(false)
    expect(changed.isCurrent(changed.seal('one', PLAINTEXT))).toBe(true)
  })
})

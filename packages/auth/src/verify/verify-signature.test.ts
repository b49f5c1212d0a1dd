import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ProofAlgorithm } from '../protocol/index.ts'
import type { SignedText } from './signature-scheme.ts'
import { createSignatureThread, type SignatureThread } from './signature-thread.ts'
import { createSignatureVerifier } from './verify-signature.ts'

type Signer = (text: string) => SignedText

function createSigner(algorithm: ProofAlgorithm, hash: string | null, pair: KeyPair): Signer {
  const { privateKey, publicKey } = pair
  return (text) => {
    const signature = sign(hash, Buffer.from(`a.${text}`), {
      key: privateKey,
      dsaEncoding: 'ieee-p1363',
    })
    return { algorithm, key: publicKey, jws: `a.${text}.${signature.toString('base64url')}` }
  }
}

type KeyPair = { readonly privateKey: KeyObject; readonly publicKey: KeyObject }

const alice = createSigner('ES256', 'sha256', generateKeyPairSync('ec', { namedCurve: 'P-256' }))
const bob = createSigner('EdDSA', null, generateKeyPairSync('ed25519'))
const carol = createSigner('RS256', 'sha256', generateKeyPairSync('rsa', { modulusLength: 2048 }))
const mallory = createSigner('ES256', 'sha256', generateKeyPairSync('ec', { namedCurve: 'P-256' }))

/** Signatures of several keys and algorithms, good ones and bad ones mixed, and which are which. */
function createTexts(count: number): { readonly texts: SignedText[]; readonly good: boolean[] } {
  const texts: SignedText[] = []
  const good: boolean[] = []
  for (let index = 0; index < count; index += 1) {
    const text = [alice, bob, carol][index % 3]?.(`text-${String(index)}`)
    if (text === undefined) throw new Error('no text')
    const isForged = index % 4 === 0
    texts.push(isForged ? { ...text, jws: mallory(`text-${String(index)}`).jws } : text)
    good.push(!isForged)
  }
  return { texts, good }
}

/** Resolves when the thread is up. */
async function whenReady(thread: SignatureThread): Promise<SignatureThread> {
  while (!thread.isReady()) await new Promise((resolve) => setImmediate(resolve))
  return thread
}

/** Says that it is up, and ends with the first message. */
const BREAKING_THREAD = new URL(
  `data:text/javascript,${encodeURIComponent(`
    import { parentPort } from 'node:worker_threads'
    parentPort.on('message', () => { throw new Error('broken') })
    parentPort.postMessage('ready')
  `)}`,
)

test('few signatures are checked without a thread', async () => {
  const verify = createSignatureVerifier({
    startThread: () => {
      throw new Error('a thread was started')
    },
  })
  const { good, texts } = createTexts(8)

  const verified = await Promise.all(texts.map(verify))

  expect(verified).toEqual(good)
})

test('many signatures are checked by a thread, each answered with its own', async () => {
  const thread = await whenReady(createSignatureThread())
  const asked: string[] = []
  const verify = createSignatureVerifier({
    startThread: () => ({
      ...thread,
      verify: async (text) => {
        asked.push(text.jws)
        return thread.verify(text)
      },
    }),
  })
  const { good, texts } = createTexts(200)

  const verified = await Promise.all(texts.map(verify))

  expect(verified).toEqual(good)
  expect(asked.length).toBeGreaterThan(100)
})

test('signatures of one turn and of the next are not mixed up', async () => {
  const thread = await whenReady(createSignatureThread())
  const { good, texts } = createTexts(30)
  const verified: Promise<boolean | undefined>[] = []

  for (const text of texts) {
    verified.push(thread.verify(text))
    await new Promise((resolve) => setImmediate(resolve))
  }

  expect(await Promise.all(verified)).toEqual(good)
})

test('until the thread is up, nobody waits for it', async () => {
  const verify = createSignatureVerifier({
    startThread: () => ({
      isReady: () => false,
      verify: async () => {
        throw new Error('the thread was asked')
      },
    }),
  })
  const { good, texts } = createTexts(20)

  expect(await Promise.all(texts.map(verify))).toEqual(good)
})

test("a text is not answered with what is another text's", async () => {
  // Attack: a line break in a text, so that the answers of a batch are counted off by one.
  const thread = await whenReady(createSignatureThread())
  const good = alice('good')
  const split = { ...good, jws: `${good.jws}\n0 ES256 ${good.jws}` }
  const spaced = { ...good, jws: `${good.jws} a` }

  const forged = { ...good, jws: mallory('forged').jws }
  const answers = await Promise.all([split, forged].map(async (text) => thread.verify(text)))
  const after = await thread.verify(forged)

  expect(answers).not.toContain(true)
  expect(after).not.toBe(true)
  expect(await thread.verify(spaced)).not.toBe(true)
})

describe('nobody is refused', () => {
  test('where no thread may be started, which is tried once', async () => {
    let starts = 0
    const verify = createSignatureVerifier({
      startThread: () => {
        starts += 1
        throw new Error('ERR_ACCESS_DENIED')
      },
    })
    const { good, texts } = createTexts(20)

    expect(await Promise.all(texts.map(verify))).toEqual(good)
    expect(starts).toBe(1)
  })

  test('when the thread breaks off, whatever it was at', async () => {
    const thread = await whenReady(createSignatureThread(BREAKING_THREAD))
    const verify = createSignatureVerifier({ startThread: () => thread })
    const { good, texts } = createTexts(40)

    expect(await Promise.all(texts.map(verify))).toEqual(good)
    expect(await Promise.all(texts.map(verify))).toEqual(good)
    expect([thread.isReady(), await thread.verify(alice('late'))]).toEqual([false, undefined])
  })
})

// The signing keys as one running server has them: in memory, so that signing and serving the JWKS ask
// no database, and loaded again in time to follow what other servers on the same store do.
import type { Clock, SignatureAlgorithm } from '@deputy/auth/protocol'
import type { JSONWebKeySet } from 'jose'
import * as z from 'zod'
import { createKeyLifecycle, findCurrent } from './key-lifecycle.ts'
import type { KeySealer } from './key-sealer.ts'
import { DEFAULT_ROTATE_EVERY_SECONDS } from './key-schedule.ts'
import { createNodeSigner } from './node-signer.ts'
import { createPublishedKeys, type PublishedKeys } from './published-keys.ts'
import type { CommitRotation, RotateOptions, RotationResult } from './rotation.ts'
import type { Signer } from './signer.ts'
import { toSummary, type SigningKeySummary } from './signing-key-summary.ts'
import type { ActiveSigningKey, SigningKeyStore } from './signing-key-store.ts'

/** The keys that tokens are signed with and verified by. */
export type KeyRing = {
  /** The active key. Ask for each token: a rotation changes it. */
  signer(): Signer
  /**
   * What `/.well-known/jwks.json` serves: the public halves of all that sign, will sign, or signed
   * what may still be alive. The same object until it changes.
   */
  publicKeys(): JSONWebKeySet
  /** Rotates now. Refuses with `next_key_not_ready` or `rotated_meanwhile`. */
  rotate(options?: RotateOptions): Promise<RotationResult>
  /** Does what is due, and follows what other servers did. Call it every `RELOAD_WITHIN_SECONDS`. */
  tick(): Promise<void>
  /** Follows what other servers did. */
  reload(): Promise<void>
  list(): Promise<readonly SigningKeySummary[]>
}

export type KeyRingOptions = {
  readonly store: SigningKeyStore
  readonly sealer: KeySealer
  readonly clock: Clock
  /** Of new keys; a change takes effect at the next rotation. Default ES256. */
  readonly algorithm?: SignatureAlgorithm | undefined
  /** Default 30 days. */
  readonly rotateEverySeconds?: number | undefined
  /** Commits the rotations that are due. Default: nothing is written down of them. */
  readonly commitScheduled?: CommitRotation | undefined
}

/**
 * Opens the ring; the first start on an empty store makes its keys. Rejects with `KeySealError` when a
 * private key cannot be opened. While it runs, a reload that fails leaves the ring as it was.
 */
export async function openKeyRing(options: KeyRingOptions): Promise<KeyRing> {
  const { algorithm = 'ES256', clock, sealer, store } = options
  const rotateEverySeconds = options.rotateEverySeconds ?? DEFAULT_ROTATE_EVERY_SECONDS
  const lifecycle = createKeyLifecycle({
    store,
    sealer,
    clock,
    algorithm,
    rotateEverySeconds,
    commitScheduled: options.commitScheduled,
  })
  await lifecycle.prepare()
  const records = await store.list()
  let signer = createSigner(findCurrent(records).active, sealer)
  let publishedKeys: PublishedKeys = createPublishedKeys(records)

  async function load(): Promise<void> {
    const records = await store.list()
    const { active } = findCurrent(records)
    // First, and whether or not the private half can be opened here: verifiers need no more than this.
    publishedKeys = createPublishedKeys(records)
    if (signer.kid !== active.kid) signer = createSigner(active, sealer)
  }

  let last: Promise<unknown> = Promise.resolve()
  /** One after the other: an answer of the store must not replace a newer one. */
  async function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const turn = last.then(work, work)
    last = turn
    return turn
  }

  return {
    signer: () => signer,
    publicKeys: () => publishedKeys.at(clock.now()),
    reload: async () => inTurn(load),
    list: async () => (await store.list()).map((record) => toSummary(record, rotateEverySeconds)),
    tick: async () =>
      inTurn(async () => {
        await lifecycle.advance()
        await load()
      }),
    rotate: async (options = {}) =>
      inTurn(async () => {
        const result = await lifecycle.rotate(options)
        await load()
        return result
      }),
  }
}

const PrivateJwk = z.record(z.string(), z.unknown())

function createSigner(
  { algorithm, kid, sealedPrivateKey }: ActiveSigningKey,
  sealer: KeySealer,
): Signer {
  const privateJwk = PrivateJwk.parse(JSON.parse(sealer.open(kid, sealedPrivateKey)))
  return createNodeSigner({ kid, algorithm, privateJwk })
}

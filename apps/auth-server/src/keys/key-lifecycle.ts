// What happens to signing keys: next → active → retired → gone. Every step is one conditional change
// in the store, so any number of servers may take it at once and one of them does.
import { accept, refuse, type Clock, type SignatureAlgorithm } from '@deputy/auth/protocol'
import { createSigningKey } from './create-signing-key.ts'
import { isSealed } from './aes-gcm-key-sealer.ts'
import type { KeySealer } from './key-sealer.ts'
import { RETAIN_SECONDS, toDueAt, toReadyAt } from './key-schedule.ts'
import type { CommitRotation, RotateOptions, RotationResult } from './rotation.ts'
import type {
  ActiveSigningKey,
  NextSigningKey,
  SigningKeyRecord,
  SigningKeyStore,
} from './signing-key-store.ts'

export type KeyLifecycleOptions = {
  readonly store: SigningKeyStore
  readonly sealer: KeySealer
  readonly clock: Clock
  /** Of keys that are made from now on. */
  readonly algorithm: SignatureAlgorithm
  readonly rotateEverySeconds: number
  /** Commits the rotations that are due. */
  readonly commitScheduled?: CommitRotation | undefined
}

export type KeyLifecycle = {
  /** At a start: makes what is missing, and seals what is not sealed under the current key. */
  prepare(): Promise<void>
  /** Does what is due. */
  advance(): Promise<void>
  rotate(options: RotateOptions): Promise<RotationResult>
}

/** Creates the acts on a store. */
export function createKeyLifecycle(options: KeyLifecycleOptions): KeyLifecycle {
  const { algorithm, clock, rotateEverySeconds, sealer, store } = options
  const create = async (): Promise<NextSigningKey> =>
    createSigningKey({ algorithm, sealer, now: clock.now() })
  const createActive = async (): Promise<ActiveSigningKey> => {
    const key = await create()
    return { ...key, state: 'active', activatedAt: key.createdAt }
  }
  const commitAlone: CommitRotation = async (change) => change(store)

  async function activateNext(
    { active, next }: { readonly active: ActiveSigningKey; readonly next: NextSigningKey },
    commit: CommitRotation = commitAlone,
  ): Promise<RotationResult> {
    const key = await create()
    const rotation = { retire: active.kid, activate: next.kid, next: key, now: clock.now() }
    const rotated = { activeKid: next.kid, nextKid: key.kid, formerKid: active.kid }
    return (await commit(async (keys) => keys.rotate(rotation), rotated))
      ? accept(rotated)
      : refuse({ reason: 'rotated_meanwhile' })
  }

  async function replaceAll(
    { kid }: ActiveSigningKey,
    commit: CommitRotation = commitAlone,
  ): Promise<RotationResult> {
    const replacement = { activeKid: kid, active: await createActive(), next: await create() }
    const { active, next } = replacement
    const rotated = { activeKid: active.kid, nextKid: next.kid, formerKid: kid }
    return (await commit(async (keys) => keys.replaceAll(replacement), rotated))
      ? accept(rotated)
      : refuse({ reason: 'rotated_meanwhile' })
  }

  async function advance(): Promise<void> {
    const { active, next } = findCurrent(await store.list())
    const now = clock.now()
    if (next === undefined) {
      await store.insertNext(await create())
    } else if (toDueAt(active, rotateEverySeconds) <= now && toReadyAt(next) <= now) {
      // When another server was faster, it did the same.
      await activateNext({ active, next }, options.commitScheduled)
    }
    await store.removeRetired(now - RETAIN_SECONDS)
  }

  return {
    advance,

    async prepare() {
      const found = await store.list()
      if (found.length === 0) await store.insertFirst(await createActive())
      await sealAnew(store, sealer)
      const { next } = findCurrent(await store.list())
      // Otherwise a change of the algorithm would wait for the rotation after the next one. Only at a
      // start: servers that are configured differently do not take each other's keys away for ever.
      if (next !== undefined && next.algorithm !== algorithm) {
        await store.replaceNext(next.kid, await create())
      }
      await advance()
    },

    async rotate({ commit, immediately = false }) {
      const { active, next } = findCurrent(await store.list())
      if (immediately) return replaceAll(active, commit)
      if (next === undefined) return refuse({ reason: 'rotated_meanwhile' })
      const readyAt = toReadyAt(next)
      if (clock.now() < readyAt) return refuse({ reason: 'next_key_not_ready', readyAt })
      return activateNext({ active, next }, commit)
    },
  }
}

/** Finds the key that signs and the one that will. Throws when none signs, which is a bug. */
export function findCurrent(records: readonly SigningKeyRecord[]): {
  readonly active: ActiveSigningKey
  readonly next: NextSigningKey | undefined
} {
  const active = records.find((record) => record.state === 'active')
  if (active === undefined) throw new Error('there is no active signing key in the database')
  return { active, next: records.find((record) => record.state === 'next') }
}

/**
 * Opens every private key, so that one that cannot be opened is an error at the start and not in 30
 * days, and seals under the current key what was sealed under a former one or, before there was
 * sealing, not at all.
 */
async function sealAnew(store: SigningKeyStore, sealer: KeySealer): Promise<void> {
  for (const record of await store.list()) {
    if (record.state === 'retired') continue
    const { kid, sealedPrivateKey: from } = record
    const plaintext = isSealed(from) ? sealer.open(kid, from) : from
    if (!sealer.isCurrent(from)) await store.reseal(kid, { from, to: sealer.seal(kid, plaintext) })
  }
}

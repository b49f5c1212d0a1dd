import type { EpochSeconds } from '@deputy/auth/protocol'
import type { JSONWebKeySet } from 'jose'
import { toGoneAt } from './key-schedule.ts'
import type { SigningKeyRecord } from './signing-key-store.ts'

/** The public halves. */
export type PublishedKeys = {
  /** The key set at this time, the same object for as long as it holds the same keys. */
  at(now: EpochSeconds): JSONWebKeySet
}

const ORDER = { active: 0, next: 1, retired: 2 }

/** Creates the key set, the active key first, of records as the store listed them. */
export function createPublishedKeys(records: readonly SigningKeyRecord[]): PublishedKeys {
  const sorted = records.toSorted((a, b) => ORDER[a.state] - ORDER[b.state])
  let held: JSONWebKeySet = { keys: sorted.map(toPublicJwk) }
  return {
    at(now) {
      const current = sorted.filter((key) => key.state !== 'retired' || now < toGoneAt(key))
      // Keys leave in the order in which they were retired: as many are the same ones.
      if (current.length !== held.keys.length) held = { keys: current.map(toPublicJwk) }
      return held
    },
  }
}

function toPublicJwk({ algorithm, kid, publicJwk }: SigningKeyRecord) {
  return { kid, alg: algorithm, use: 'sig', ...publicJwk }
}

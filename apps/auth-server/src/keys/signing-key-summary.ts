import type { EpochSeconds, SignatureAlgorithm } from '@deputy/auth/protocol'
import { toDueAt, toGoneAt, toReadyAt } from './key-schedule.ts'
import type { SigningKeyRecord } from './signing-key-store.ts'

/** What an operator may know of a key: nothing of its private half. */
export type SigningKeySummary = {
  readonly kid: string
  readonly algorithm: SignatureAlgorithm
  readonly state: SigningKeyRecord['state']
  readonly createdAt: EpochSeconds
  /** Of a next key: from when on a rotation may make it active. */
  readonly readyAt?: EpochSeconds
  readonly activatedAt?: EpochSeconds
  /** Of the active key: when the schedule rotates it. */
  readonly dueAt?: EpochSeconds
  readonly retiredAt?: EpochSeconds
  /** Of a retired key: when it is published no more. */
  readonly goneAt?: EpochSeconds
}

/** Sums up a key. */
export function toSummary(record: SigningKeyRecord, rotateEverySeconds: number): SigningKeySummary {
  const { algorithm, createdAt, kid, state } = record
  const common = { kid, algorithm, state, createdAt }
  switch (record.state) {
    case 'next':
      return { ...common, readyAt: toReadyAt(record) }
    case 'active':
      return {
        ...common,
        activatedAt: record.activatedAt,
        dueAt: toDueAt(record, rotateEverySeconds),
      }
    case 'retired':
      return {
        ...common,
        activatedAt: record.activatedAt,
        retiredAt: record.retiredAt,
        goneAt: toGoneAt(record),
      }
  }
}

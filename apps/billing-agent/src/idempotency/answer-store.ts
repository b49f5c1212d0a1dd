import type { EpochSeconds } from '@deputy/auth/protocol'

/** An answer that was given under an idempotency key. */
export type StoredAnswer = {
  readonly procedure: string
  readonly bodySha256: string
  /** JSON. */
  readonly answer: string
}

/** Who chose a key, and when. */
export type AnswerKey = {
  readonly agentId: string
  readonly key: string
  readonly createdAt: EpochSeconds
}

/** Where answers are kept, by caller and key. Only for use inside a transaction. */
export type AnswerStore = {
  /** `undefined` for a key that nobody used, or that was claimed and has no answer yet. */
  find(agentId: string, key: string): Promise<StoredAnswer | undefined>
  /** Answers `false`, changing nothing, when the key was used before. */
  claim(by: AnswerKey, work: Omit<StoredAnswer, 'answer'>): Promise<boolean>
  /** Keeps what the work of a claimed key came to. */
  keep(by: Pick<AnswerKey, 'agentId' | 'key'>, answer: string): Promise<void>
  /** Forgets up to so many that were given before. Answers how many. */
  prune(before: EpochSeconds, limit: number): Promise<number>
}

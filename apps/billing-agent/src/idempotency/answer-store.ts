import type { EpochSeconds } from '@deputy/auth/protocol'

/** An answer that was given under an idempotency key. */
export type StoredAnswer = {
  readonly procedure: string
  readonly bodySha256: string
  /** JSON. */
  readonly answer: string
}

/** Where answers are kept, by caller and key. Only for use inside a transaction. */
export type AnswerStore = {
  find(agentId: string, key: string): Promise<StoredAnswer | undefined>
  insert(
    by: { readonly agentId: string; readonly key: string; readonly createdAt: EpochSeconds },
    answer: StoredAnswer,
  ): Promise<void>
}

import type { RevocationStore } from './revocation-store.ts'

/** Notices what is revoked by a store. */
export function watchInserts(
  store: RevocationStore,
  onInsert: () => Promise<void>,
): RevocationStore {
  return {
    ...store,
    async insert(denial, revokedAt) {
      const isNew = await store.insert(denial, revokedAt)
      if (isNew) await onInsert()
      return isNew
    },
  }
}

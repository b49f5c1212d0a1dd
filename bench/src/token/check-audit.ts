import { openStorage } from '../../../apps/auth-server/src/storage/open-storage.ts'

/**
 * Counts the audit trail after the run: a server that answered before its entries were on disk, or wrote
 * none, did less than it is measured for. Rejects when entries are missing.
 */
export async function checkAudit(databaseFile: string, answered: number): Promise<void> {
  await using storage = await openStorage({ file: databaseFile })
  const entries = await storage.audit.newestId()
  if (entries < answered) {
    throw new Error(`${String(answered)} tokens were answered, ${String(entries)} are on the trail`)
  }
}

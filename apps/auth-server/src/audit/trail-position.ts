// Where a follower of the trail stands. An id alone does not tell: after a restore of an older copy, ids that were given
// out are given out again, to other entries.
import * as z from 'zod'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import type { AuditEntry } from './audit-event.ts'
import type { AuditTrail } from './audit-trail.ts'

/** An entry's id, with its hash where the entry came from the tail. */
export const TrailPosition = z.coerce
  .string()
  .regex(/^\d{1,15}(?:\.[\w-]{43})?$/)
  .transform((text): TrailPosition => {
    const [id, hash] = text.split('.')
    return { afterId: Number(id), hash }
  })
export type TrailPosition = { readonly afterId: number; readonly hash: string | undefined }

/** Writes the position after an entry. */
export function toTrailPosition({ hash, id }: AuditEntry): string {
  return `${String(id)}.${hash}`
}

/** Whether the trail goes on after the position. One whose entry was pruned is taken for good. */
export async function isOfTrail(
  trail: Pick<AuditTrail, 'find' | 'newestId'>,
  { afterId, hash }: TrailPosition,
): Promise<boolean> {
  const entry = hash === undefined ? undefined : await trail.find(afterId, EVERY_OWNER)
  return entry === undefined ? afterId <= (await trail.newestId()) : entry.hash === hash
}

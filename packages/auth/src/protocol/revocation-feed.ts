// What the authorization server's revocation feed says, event by event (docs/adr/0015).
import * as z from 'zod'
import { NonEmptyText } from './text.ts'

/**
 * Something that is denied until `expiresAt`, when it would have ended anyway: `grant` is an id of grant
 * paths (a credential, a task grant, a token) with all that stands on it, `agent` an agent with all that
 * it holds, acts with or handed on.
 */
export type RevokedEntry = {
  readonly kind: 'grant' | 'agent'
  readonly id: string
  /** Epoch seconds. */
  readonly expiresAt: number
}

/**
 * An agent, or an API key, by its id, is not what it was: nobody is denied, but what is remembered of it is void.
 * After `expiresAt` it is not told any more.
 */
export type ChangedEntry = Omit<RevokedEntry, 'kind'> & { readonly kind: 'change' }

/**
 * The id of a change that is of no agent and no API key, whose ids have no underscore: the issuer's signing keys are not
 * what they were, and its JWKS is to be fetched. Verifiers that do not know it look for keys when they meet them.
 */
export const SIGNING_KEYS_CHANGE_ID = 'signing_keys'

/** What the feed tells. */
export type FeedEntry = RevokedEntry | ChangedEntry

const Entry = z
  .tuple([z.enum(['grant', 'agent', 'change']), NonEmptyText.max(512), z.number()])
  .transform(([kind, id, expiresAt]): FeedEntry => ({ kind, id, expiresAt }))

/** The data of `snapshot` and `revoked`: tuples on the wire. */
export const RevocationEventData = z.object({
  entries: z.array(Entry),
  /** Of a snapshot's first part: what was known before is void. */
  reset: z.boolean().optional(),
})
export type RevocationEventData = z.infer<typeof RevocationEventData>

import type { EpochSeconds } from '@deputy/auth/protocol'
import type { Tenancy } from '../owners/tenancy.ts'
import type { AuditEntry, AuditEvent } from './audit-event.ts'
import type { AuditFilter } from './audit-filter.ts'
import type { AuditLog } from './audit-log.ts'
import type { ChainHead } from './chain.ts'
import type { ChainSource } from './chain-source.ts'

/** Entries that somebody may see. */
export type AuditSelection = { readonly within: Tenancy; readonly filter: AuditFilter }

/** A part of them. */
export type AuditPageRequest = AuditSelection & {
  /** Only entries whose id is smaller. */
  readonly beforeId?: number | undefined
  readonly limit: number
}

export type AuditPage = {
  readonly entries: readonly AuditEntry[]
  /** Where the next page begins; a page may be short, or empty, and still not be the last. */
  readonly nextBeforeId: number | undefined
}

/** The entries after one. */
export type AuditReadRequest = AuditSelection & {
  readonly afterId: number
  readonly limit: number
}

export type AuditReading = {
  /** In the order of their ids. */
  readonly entries: readonly AuditEntry[]
  /** How far was read: entries up to this id will never be more than these. Not past the last entry. */
  readonly reachedId: number
}

/** What a pruning did. */
export type Pruned = {
  readonly entries: number
  /** The writers that lost entries. */
  readonly writers: number
}

/** The audit trail: written by the server, read by auditors. */
export type AuditTrail = AuditLog &
  ChainSource & {
    /** Newest first. What is written later never moves what a later page shows. */
    list(request: AuditPageRequest): Promise<AuditPage>
    find(id: number, within: Tenancy): Promise<AuditEntry | undefined>
    /**
     * Oldest first, and without losing any: where several servers write to one database, an entry may
     * appear after others with larger ids, and this reads no further than none can appear any more.
     */
    readAfter(request: AuditReadRequest): Promise<AuditReading>
    /** The largest id there is; 0 when there is none. */
    newestId(): Promise<number>
    /** Calls back whenever this server has written entries, until the function that it returns is called. */
    onAppend(listener: () => void): () => void
    /**
     * Drops the entries from before a moment, of each writer from the front, and signs off what is
     * dropped with entries of its own, so that the rest still verifies. Its work is done in small
     * commits; one that was broken off is finished by the next.
     */
    prune(request: { readonly beforeAt: EpochSeconds } & PruneContext): Promise<Pruned>
    /** The newest entries of this server's own chains that are on disk. */
    ownHeads(): readonly ChainHead[]
  }

/** What the entry about a pruning says of who did it. */
export type PruneContext = Pick<
  AuditEvent,
  'actorId' | 'credentialId' | 'tokenId' | 'correlationId' | 'traceId'
>

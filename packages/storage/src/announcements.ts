import type { Kysely } from 'kysely'

/**
 * Tells the other processes on the database that something was written. What was announced may come
 * more than once, and for an outage once it is over: whoever hears it reads what is there.
 */
export type Announcements = {
  /** Within a transaction: the others hear of it when it is committed. */
  announce<Tables>(transaction: Kysely<Tables>, channel: string): Promise<void>
  /** Calls back until the function that it returns is called. The process's own may come too. */
  listen(channel: string, listener: () => void): () => void
}

/** As the database itself holds them. */
export type ClosableAnnouncements = Announcements & { close(): Promise<void> }

/** For a file, which belongs to one process: there is nobody else to be told. */
export const SILENT: ClosableAnnouncements = Object.freeze({
  async announce() {
    // Whoever wrote it knows.
  },
  listen: () => () => undefined,
  async close() {
    // Nothing is open.
  },
})

// NOTIFY and LISTEN of PostgreSQL, on a connection of their own that is made with the first listener and
// made again when it broke.
import { sql } from 'kysely'
import { Client } from 'pg'
import type { ClosableAnnouncements } from '../announcements.ts'

const RECONNECT_AFTER_MS = 500
const CONNECT_TIMEOUT_MS = 5000

/** Creates the announcements of one database. */
export function createPostgresAnnouncements(url: string): ClosableAnnouncements {
  const listeners = new Map<string, Set<() => void>>()
  let client: Client | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  function tell(channel: string): void {
    for (const listener of listeners.get(channel) ?? []) listener()
  }

  async function connect(): Promise<void> {
    const own = new Client({
      connectionString: url,
      fallback_application_name: 'deputy-listener',
      keepAlive: true,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    })
    client = own
    let isLost = false
    const lose = (): void => {
      if (isLost) return
      isLost = true
      own.end().catch(() => undefined)
      if (isClosed) return
      timer = setTimeout(() => void connect(), RECONNECT_AFTER_MS).unref()
    }
    own.on('error', lose)
    own.on('end', lose)
    own.on('notification', ({ channel }) => {
      tell(channel)
    })
    try {
      await own.connect()
      for (const channel of listeners.keys()) await own.query(`listen ${quote(channel)}`)
      // What was announced while nobody listened is not told again.
      for (const channel of listeners.keys()) tell(channel)
    } catch {
      lose()
    }
  }

  return {
    async announce(transaction, channel) {
      await sql`select pg_notify(${channel}, '')`.execute(transaction)
    },

    listen(channel, listener) {
      const known = listeners.get(channel) ?? new Set()
      listeners.set(channel, known.add(listener))
      if (client === undefined) void connect()
      else if (known.size === 1) client.query(`listen ${quote(channel)}`).catch(() => undefined)
      return () => known.delete(listener)
    },

    async close() {
      isClosed = true
      clearTimeout(timer)
      await client?.end().catch(() => undefined)
    },
  }
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`

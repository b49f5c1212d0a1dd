// Makes parties: registered at the world's authorization server, with a way out, a clock and a log.
import type { Clock, CredentialsFile } from '@deputy/auth/protocol'
import type { Bind, Logger } from '@deputy/serve'
import type { LogBook } from '../log/log-book.ts'
import type { MemoryNetwork } from '../network/memory-network.ts'
import { toHost, toUrl } from '../network/names.ts'
import { createCaller, type Caller } from './caller.ts'
import { register, type AdminClient, type PartySettings } from './register.ts'

/** What an agent is given that is run by a composition root of its own. */
export type AgentPlace = Caller & {
  /** What callers reach it by: the option `publicUrl` of `serveAgent`. */
  readonly url: string
  /** Where its connections come from: the option `bind` of `serveAgent`. */
  readonly bind: Bind
  readonly credentialsFile: CredentialsFile
  readonly logger: Logger
}

export type EnrolOptions = {
  readonly issuer: string
  readonly admin: AdminClient
  readonly network: MemoryNetwork
  readonly clockOf: (id: string) => Clock
  readonly book: LogBook
  /** Takes what is to be disposed of with the world. */
  readonly use: <Resource extends AsyncDisposable>(resource: Resource) => Resource
}

/** A party, and the same with what only its own server is to know. */
export type Enrolled = { readonly caller: Caller; readonly place: AgentPlace }

/** Whether the party is to be called. Then it is registered with its URL (RFC 8707), and can be found by it. */
type Served = { readonly isServed?: boolean | undefined }

/** Enrols one party. Rejects where the server refuses its settings. */
export type Enrol = (id: string, settings: PartySettings & Served) => Promise<Enrolled>

/** Creates the function that enrols parties. */
export function createEnrol(options: EnrolOptions): Enrol {
  const { admin, book, clockOf, issuer, network, use } = options
  return async (id, { isServed = false, ...settings }) => {
    const url = isServed ? toUrl(id) : undefined
    const { clientSecret, secretId } = await register(admin, { ...settings, id, url })
    book.keepSecret(clientSecret)
    const reach = use(network.reach(id))
    const caller = createCaller({
      id,
      issuer,
      secretId,
      clientSecret,
      clock: clockOf(id),
      fetch: reach.fetch,
      WebSocket: reach.WebSocket,
      use,
      keepSecret: (token) => book.keepSecret(token),
    })
    const place = {
      ...caller,
      url: toUrl(id),
      bind: network.bind(toHost(id), clockOf(id)),
      credentialsFile: {
        issuer,
        client_id: id,
        client_secret: clientSecret,
        scope: (settings.scopes ?? []).join(' '),
      },
      logger: book.createLogger(id),
    }
    return { caller, place }
  }
}

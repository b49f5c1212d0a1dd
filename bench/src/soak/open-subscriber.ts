// One of the soak's clients: Deputy's own, as agents' authors use it, with one subscription.
import { clientSecret, createAgentClient } from '../../../packages/client/src/index.ts'
import { AGENT_ID, ISSUER, TEXT } from '../calls/scenario.ts'
import type { SoakIssuer } from './issuer.ts'
import type { SoakRouter } from './servers/soak-router.ts'

/** What happened to all of them together. */
export type Tally = {
  events: number
  /** Events that did not come, or came twice. */
  outOfOrder: number
  calls: number
  failedCalls: number
  /** Connections that were lost and begun again, by what was heard of the reason. */
  readonly lost: Map<string, number>
  readonly errors: string[]
}

export type Subscriber = {
  call(): Promise<void>
  close(): Promise<void>
}

export type SubscriberOptions = {
  readonly port: number
  readonly name: string
  readonly issuer: SoakIssuer
  readonly tally: Tally
}

/** Opens one, and resolves with its first event. */
export async function openSubscriber(options: SubscriberOptions): Promise<Subscriber> {
  const { issuer, name, port, tally } = options
  const client = createAgentClient<SoakRouter>({
    url: `http://127.0.0.1:${String(port)}`,
    audience: AGENT_ID,
    scopes: ['notes:read'],
    transport: 'websocket',
    credentials: clientSecret({
      issuer: ISSUER,
      clientId: name,
      clientSecret: 'cs-agent-soak',
      fetch: issuer.fetch,
    }),
  })
  let last: number | undefined
  const begun = Promise.withResolvers<void>()
  const subscription = client.ticks.subscribe(undefined, {
    onData({ data }) {
      tally.events += 1
      if (last !== undefined && data !== last + 1) tally.outOfOrder += 1
      last = data
      begun.resolve()
    },
    onConnectionStateChange({ error }) {
      if (error === null) return
      const reason = readReason(error)
      tally.lost.set(reason, (tally.lost.get(reason) ?? 0) + 1)
    },
    onError(error) {
      tally.errors.push(error.message)
      begun.reject(error)
    },
  })
  await begun.promise
  return {
    async call() {
      tally.calls += 1
      try {
        const { text } = await client.echo.query({ text: TEXT })
        if (text !== TEXT) tally.failedCalls += 1
      } catch (error) {
        tally.failedCalls += 1
        tally.errors.push(String(error))
      }
    },
    async close() {
      subscription.unsubscribe()
      await client[Symbol.asyncDispose]()
    },
  }
}

/** The innermost cause: what the socket said, where it was the socket. */
function readReason(error: Error): string {
  let reason = error
  while (reason.cause instanceof Error) reason = reason.cause
  return reason.message
}

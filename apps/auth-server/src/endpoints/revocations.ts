// GET /oauth/revocations: what was revoked, as server-sent events, for agents that verify tokens
// themselves. Plain SSE, so that verifiers of any language can follow it with nothing but their own
// credentials (docs/adr/0015).
import { ReachAnswer, type ReachQuestion } from '@deputy/auth/protocol'
import type { AuditLog } from '../audit/audit-log.ts'
import type { AuthenticateClient } from '../clients/client-authentication.ts'
import type { Endpoint } from '../http/oauth-request.ts'
import { OAuthError } from '../oauth-error.ts'
import type { FeedEvent, RevocationFeed } from '../revocation/revocation-feed.ts'
import type { FeedEntry, FeedHead } from '../revocation/revocation-store.ts'
import type { Verifiers } from '../revocation/verifiers.ts'
import { createAuditedEndpoint } from './audited.ts'
import { parseFormBody } from './form-body.ts'

export type RevocationsEndpointOptions = {
  readonly authenticateClient: AuthenticateClient
  readonly feed: Pick<RevocationFeed, 'follow'>
  readonly verifiers: Verifiers
  readonly audit: AuditLog
}

/** Who follows the feed: the agent, and the secret that it showed. */
type Follower = { readonly agentId: string; readonly credentialId: string }

/** Creates the endpoint. */
export function createRevocationsEndpoint(options: RevocationsEndpointOptions): Endpoint {
  const { audit, authenticateClient, feed, verifiers } = options

  async function* follow(
    follower: Follower,
    after: FeedHead | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<string, void> {
    const questions: ReachQuestion[] = []
    let wake = (): void => undefined
    using _connection = verifiers.connect(follower.agentId, (question) => {
      questions.push(question)
      wake()
    })
    const events = feed.follow({ after, signal })
    let next = events.next()
    for (;;) {
      // Where it cannot be had while the follower is sent something else, that is said when its turn comes.
      next.catch(() => undefined)
      const { promise, resolve } = Promise.withResolvers<undefined>()
      wake = () => resolve(undefined)
      const question = questions.shift()
      if (question !== undefined) {
        yield `event: reach\ndata: ${JSON.stringify(question)}\n\n`
        continue
      }
      const result = await Promise.race([next, promise])
      if (result === undefined) continue
      if (result.done === true) return
      const event = result.value
      yield formatEvent(event)
      if ('entries' in event && event.entries.some((entry) => endsFollower(entry, follower))) return
      next = events.next()
    }
  }

  return createAuditedEndpoint(audit, 'revocations.refused', async (request, trail) => {
    const { headers, remoteAddress } = request
    const { authorization } = headers
    const { agent, credentialId } = await authenticateClient({
      authorization,
      body: new Map(),
      trail,
      remoteAddress,
    })
    if (!verifiers.hasRoom(agent.id)) {
      throw new OAuthError({
        code: 'temporarily_unavailable',
        message: `${agent.id} follows the feed too often already: close a connection first`,
        status: 429,
        headers: { 'retry-after': '5' },
      })
    }
    const after = readLastEventId(headers['last-event-id'])
    const follower = { agentId: agent.id, credentialId }
    return { events: (signal) => follow(follower, after, signal) }
  })
}

/** Creates the endpoint for `POST`: a follower answers how far a revocation would reach there. */
export function createReachEndpoint(
  options: Pick<RevocationsEndpointOptions, 'audit' | 'authenticateClient' | 'verifiers'>,
): Endpoint {
  const { audit, authenticateClient, verifiers } = options
  return createAuditedEndpoint(audit, 'revocations.refused', async (request, trail) => {
    const body = await parseFormBody(request)
    const { headers, remoteAddress } = request
    const { authorization } = headers
    const { agent } = await authenticateClient({ authorization, body, trail, remoteAddress })
    const answer = ReachAnswer.safeParse(parseJson(body.get('reach')))
    if (!answer.success) {
      throw new OAuthError({
        code: 'invalid_request',
        message: 'reach must be JSON with open, a whole number, and held, a list of amounts',
      })
    }
    // Whoever comes too late is not told: it could do nothing about it.
    verifiers.answer(agent.id, body.get('reach_id') ?? '', answer.data)
    return { body: {} }
  })
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Who was shut out is not told more. */
function endsFollower({ id, kind }: FeedEntry, follower: Follower): boolean {
  if (kind === 'change') return false
  return id === (kind === 'agent' ? follower.agentId : follower.credentialId)
}

function formatEvent(event: FeedEvent): string {
  if (!('entries' in event)) return `event: ${event.type}\ndata: {}\n\n`
  const { entries, head, type } = event
  const data = {
    ...(type === 'snapshot' && event.isReset ? { reset: true } : {}),
    entries: entries.map(({ expiresAt, id, kind }) => [kind, id, expiresAt]),
  }
  return `event: ${type}\nid: ${head.feedId}:${String(head.seq)}\ndata: ${JSON.stringify(data)}\n\n`
}

/** An id that is not of this form is of another feed: everything is told anew. */
function readLastEventId(value: string | readonly string[] | undefined): FeedHead | undefined {
  const match = /^([0-9a-f-]{36}):(\d{1,15})$/.exec(typeof value === 'string' ? value : '')
  const [, feedId, seq] = match ?? []
  return feedId === undefined ? undefined : { feedId, seq: Number(seq) }
}

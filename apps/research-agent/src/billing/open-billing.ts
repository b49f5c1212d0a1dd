// Research's clients of the billing agent: one in its own name, and one for each task that it works on.
import type { Clock } from '@deputy/auth/protocol'
import {
  clientSecret,
  createActFor,
  createAgentClient,
  taskGrant,
  tokenExchange,
  type AgentClient,
  type ClientCredentials,
  type Credentials,
} from '@deputy/client'
import { billing, BILLING_AGENT_ID, type BillingRouter } from '@deputy/contracts/billing'
import { readTraceContext } from '@deputy/serve/telemetry'
import { LRUCache } from 'lru-cache'
import type { OpenBillingFor } from '../tools/job-tools.ts'
import { BILLING_SCOPES } from './agent-billing-gateway.ts'

/** Tasks whose tokens are kept, at most. One more is asked for its tokens anew. */
const MAX_TASKS = 100

export type OpenBillingOptions = {
  readonly url: string
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  readonly clock: Clock
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined
}

/** Creates the function that opens them. None holds a connection of its own. */
export function createOpenBilling(options: OpenBillingOptions) {
  const open = (credentials: Credentials): AgentClient<BillingRouter> =>
    createAgentClient<BillingRouter>({
      url: options.url,
      credentials,
      audience: BILLING_AGENT_ID,
      scopes: BILLING_SCOPES,
      clock: options.clock,
      fetch: options.fetch,
      getTraceContext: readTraceContext,
    })
  const { url: _url, ...identityOptions } = options
  const identity = clientSecret(identityOptions)
  const own = open(identity)
  const tasks = new LRUCache<string, AgentClient<BillingRouter>>({ max: MAX_TASKS })

  return (grantId: string | undefined): AgentClient<BillingRouter> => {
    if (grantId === undefined) return own
    const client = tasks.get(grantId) ?? open(underTask(identity, grantId))
    tasks.set(grantId, client)
    return client
  }
}

/** What the tools of a job need at billing. */
const READ_SCOPES = ['billing:read'] as const

/**
 * Creates the function that opens billing for whoever called: with a token that is exchanged for the caller's
 * own. There is none for a caller with an API key, or whose token does not reach billing.
 */
export function createOpenBillingFor(options: OpenBillingOptions): OpenBillingFor {
  const { clock, fetch, url, ...identity } = options
  const actFor = createActFor({
    actor: clientSecret({ ...identity, clock, fetch }),
    agents: { [BILLING_AGENT_ID]: url },
    clock,
    fetch,
    getTraceContext: readTraceContext,
  })

  return ({ principal, subjectToken, traceparent }) => {
    const isReached = READ_SCOPES.every((scope) => principal.scopes.includes(scope))
    if (subjectToken === undefined || !isReached) return undefined
    // A job goes on when the call that began it is answered, so that call's signal is none of its tools'.
    return actFor({ principal, subjectToken, traceparent }).client(billing)
  }
}

/**
 * Research takes a token for itself that stands on the task, and hands down to billing what billing
 * needs of it: whatever happens to that one, it ends with the task.
 */
function underTask(identity: ClientCredentials, grantId: string): Credentials {
  const target = { audience: identity.client.clientId, scopes: BILLING_SCOPES }
  return tokenExchange({
    subject: taskGrant(grantId, identity).toSubject(target),
    actor: identity,
  })
}

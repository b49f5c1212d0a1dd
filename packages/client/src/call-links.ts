// What every call goes through before it is sent, in this order: it ends when its caller gives up, its time runs,
// a subscription is begun again, and it gets its authorization, for each time that it is sent. Each of them
// rejects with `ClientError`.
import type { AgentContract, Clock, Deadline } from '@deputy/auth/protocol'
import type { TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { createAuthLink, type OpenAuthorizer } from './auth-link.ts'
import type { Authorizer, AuthorizationTarget, Credentials } from './authorization.ts'
import type { ApprovalPolicy } from './approval-policy.ts'
import { createResumeLink, type ResumePolicy } from './links/resume-link.ts'
import type { RetryBudget } from './links/retry-budget.ts'
import { createRetry, type RetryPolicy } from './links/retry.ts'
import { createSignalLink } from './links/signal-link.ts'
import { createTraceLink, type GetTraceContext } from './links/trace-context.ts'
import { createStepUp, type StepUpPolicy } from './step-up.ts'
import { createTimeoutLink } from './timeout-link.ts'

/** How calls are made. */
export type CallPolicies = {
  /** How long a query or a mutation may take, getting a token included. Default 30,000 ms. */
  readonly timeoutMs?: number | undefined
  /** Sends again what failed on the way, where that is safe. `false`: never. */
  readonly retry?: RetryPolicy | false | undefined
  /** Begins subscriptions again that ended for a reason that passes, after their last event. `false`: never. */
  readonly resume?: ResumePolicy | false | undefined
  /** Which scopes may be asked for beside `scopes` when the agent wants them. Default: none. */
  readonly stepUp?: StepUpPolicy | undefined
  /** What to do with calls that somebody has to approve. Default `refuse`. */
  readonly approvals?: ApprovalPolicy | undefined
  /** In which trace a call is made (W3C Trace Context). Default: each request begins one. */
  readonly getTraceContext?: GetTraceContext | undefined
  /** What time limits and waits go by. Default: the machine's clock and timers. */
  readonly clock?: Clock | undefined
}

export type CallLinksOptions<Router> = CallPolicies & {
  readonly credentials: Credentials
  /** `scopes` left out: with a contract those of each procedure, otherwise everything. */
  readonly target: Omit<AuthorizationTarget, 'scopes'> & {
    readonly scopes?: readonly string[] | undefined
  }
  readonly contract?: AgentContract<Router> | undefined
  /** Where several clients of one agent share it. Default: one of its own. */
  readonly retryBudget?: RetryBudget | undefined
  /** Ends every call, whether or not it has a signal of its own. */
  readonly signal?: AbortSignal | undefined
  /** No call has more time than this has left. */
  readonly deadline?: Deadline | undefined
  /** The trace of a call for which nothing else says one: that of the call which all are made for. */
  readonly traceparent?: string | undefined
}

/** Creates the links; the one that sends goes after them. */
export function createCallLinks<Router extends AnyTRPCRouter>(
  options: CallLinksOptions<Router>,
): TRPCLink<Router>[] {
  const { approvals, clock, resume, retry, retryBudget, stepUp } = options
  const { timeoutMs = 30_000 } = options
  return [
    createSignalLink(options.signal),
    createTimeoutLink(timeoutMs, { clock, inherited: options.deadline }),
    createTraceLink<Router>(options),
    ...(resume === false ? [] : [createResumeLink<Router>(resume, clock)]),
    createAuthLink({
      openAuthorizer: createOpenAuthorizer(options),
      agentId: options.target.audience,
      stepUp: createStepUp(stepUp ?? false),
      retry: retry === false ? undefined : createRetry(retry, retryBudget),
      approvals,
      clock,
    }),
  ]
}

/** One authorizer for each scope set: it knows what it handed out last. */
function createOpenAuthorizer<Router>(options: CallLinksOptions<Router>): OpenAuthorizer {
  const { contract, credentials, target } = options
  const open = new Map<string, Authorizer>()

  return ({ path }, { approval, scopes: more = [] } = {}) => {
    const own = target.scopes ?? contract?.procedures[path]?.scopes ?? []
    // No scopes at all means everything: there is nothing to ask for beside it.
    const isEverything = own.length === 0 && contract === undefined
    const scopes = isEverything ? [] : [...new Set([...own, ...more])]
    if (approval !== undefined) return credentials({ ...target, scopes, approval })
    const key = scopes.join(' ')
    const authorizer = open.get(key) ?? credentials({ ...target, scopes })
    open.set(key, authorizer)
    return authorizer
  }
}

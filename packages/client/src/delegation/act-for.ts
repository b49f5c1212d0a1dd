// Delegation in one line: inside a handler, a typed client of another agent that acts for whoever called
// this one, with a token that was exchanged for exactly what the calls need.
import type { AgentContract, AuthorizationDetailsClaim, SubjectToken } from '@deputy/auth/protocol'
import { createTRPCClient, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { toEndpoint } from '../agent-client.ts'
import type { RouterScope, ScopedClient } from '../agent-contract.ts'
import { createCallLinks, type CallPolicies } from '../call-links.ts'
import type { ClientCredentials } from '../credentials/client-credentials.ts'
import { tokenExchange } from '../credentials/token-exchange.ts'
import { ClientError } from '../error/client-error.ts'
import type { FetchLike } from '../fetch-like.ts'
import { createHttpTransport } from '../http-link.ts'
import { readScope, type CallScope, type ServiceCallScope } from '../links/call-scope.ts'
import { createRetryBudget, type RetryBudget } from '../links/retry-budget.ts'

/** Who called, as a handler's context or a service's call has it. */
export type Caller = {
  readonly principal: { readonly subject: string }
} & (
  | (CallScope & { getSubjectToken(): SubjectToken | undefined })
  | (ServiceCallScope & { readonly subjectToken?: SubjectToken | undefined })
)

export type DelegatedClientOptions<Scope extends string> = {
  /**
   * What the calls need: calling a procedure that needs another one does not compile. Left out, each call
   * has a token with exactly the scopes of its procedure.
   */
  readonly scopes?: readonly Scope[] | undefined
  /** Limits beside those that the caller's token has: they can only narrow (RFC 9396). */
  readonly limits?: AuthorizationDetailsClaim | undefined
}

/** What can be done in a caller's name. */
export type OnBehalf = {
  /**
   * A client of the agent of this contract. `sub` stays the caller, `act` says who acts, nothing widens.
   * Its calls end when the caller gives up, have no more time than the caller still waits, and are in its trace. Throws `TypeError` for an agent whose URL is not known.
   */
  client<
    Router extends AnyTRPCRouter,
    const Scope extends RouterScope<Router> = RouterScope<Router>,
  >(
    contract: AgentContract<Router>,
    options?: DelegatedClientOptions<Scope>,
  ): ScopedClient<Router, Scope>
}

/**
 * Acts for whoever called. Throws `ClientError` (`authority_not_delegable`) where the caller presented an
 * API key: keys are not handed on.
 */
export type ActFor = (caller: Caller) => OnBehalf

export type ActForOptions = CallPolicies & {
  /** This agent's own credentials: who acts. */
  readonly actor: ClientCredentials
  /** Where the other agents are: their base URLs by their ids. */
  readonly agents: Readonly<Record<string, string>>
  /** What calls are sent with. Default: the global `fetch`. */
  readonly fetch?: FetchLike | undefined
}

/**
 * Creates the function, once for an agent. Clients that it gives are cheap and need not be closed: all of
 * them share its connections, and one exchanged token serves all calls of one caller to one agent.
 * Approvals are asked for and told to the caller (`approvals: 'ask'`) unless it is said otherwise.
 */
export function createActFor(options: ActForOptions): ActFor {
  const { actor, agents, fetch: fetchWith, ...policies } = options
  const ways = new Map<string, Way>()
  for (const [agentId, url] of Object.entries(agents)) {
    const { link } = createHttpTransport<AnyTRPCRouter>(toEndpoint(url), fetchWith)
    ways.set(agentId, { link, retryBudget: createRetryBudget() })
  }

  return (caller) => {
    const subject = readSubject(caller)
    if (subject === undefined) {
      throw new ClientError({
        code: 'authority_not_delegable',
        message: `${caller.principal.subject} called with a credential that cannot be handed on`,
        hint: 'Call with an access token in place of an API key, or act in the agent’s own name.',
      })
    }
    return {
      client<Router extends AnyTRPCRouter, const Scope extends RouterScope<Router>>(
        contract: AgentContract<Router>,
        { limits, scopes }: DelegatedClientOptions<Scope> = {},
      ) {
        const way = ways.get(contract.agentId)
        if (way === undefined) {
          throw new TypeError(`where ${contract.agentId} is was not said: add it to agents`)
        }
        const client = createTRPCClient<Router>({
          links: [
            ...createCallLinks<Router>({
              approvals: 'ask',
              ...policies,
              retryBudget: way.retryBudget,
              ...readScope(caller),
              contract,
              credentials: tokenExchange({ subject, actor, limits }),
              target: { audience: contract.agentId, scopes },
            }),
            way.link,
          ],
        })
        return client
      },
    }
  }
}

/** What all clients of one agent share: its connections, and what may be spent on sending calls again. */
type Way = { readonly link: TRPCLink<AnyTRPCRouter>; readonly retryBudget: RetryBudget }

function readSubject(caller: Caller): SubjectToken | undefined {
  return 'getSubjectToken' in caller ? caller.getSubjectToken() : caller.subjectToken
}

// Gives each call its authorization, and answers what an agent wants of it: a fresh token on
// `invalid_token`, more scopes on `insufficient_scope`, somebody's approval. A call that was answered so
// was not carried out, unless the agent says otherwise, so mutations are safe to send again. Each of them at most once a call. What failed on the
// way is sent again here, too: each attempt has the authorization of its moment.
import { systemClock, type Clock } from '@deputy/auth/protocol'
import { TRPCClientError, type Operation, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable, type Unsubscribable } from '@trpc/server/observable'
import type { ApprovalPolicy } from './approval-policy.ts'
import { Authorization, type Authorizer, type CallForApproval } from './authorization.ts'
import { toCallForApproval } from './approval-policy.ts'
import {
  noteAgentId,
  noteMayBeDone,
  type ClientError,
  type ClientErrorCode,
} from './error/client-error.ts'
import { toClientError } from './error/to-client-error.ts'
import { readProgress } from './links/call-progress.ts'
import { readDeadline } from './links/deadline.ts'
import { findCallFate } from './links/lost-call.ts'
import { NOT_CARRIED_OUT, type Retry } from './links/retry.ts'
import type { StepUp } from './step-up.ts'
import { wait } from './wait.ts'

/** Name of the authorization in an operation's context. */
const CONTEXT_KEY = 'deputyAuthorization'

/** Opens the authorizer for a call: with these scopes beside its own, or for one approval. */
export type OpenAuthorizer = (
  op: Pick<Operation, 'path'>,
  more?: { readonly scopes?: readonly string[]; readonly approval?: CallForApproval },
) => Authorizer

/** What a call is sent with. */
export type Authorized = { readonly authorization: Authorization; readonly authorizer: Authorizer }

export type AuthLinkOptions = {
  readonly openAuthorizer: OpenAuthorizer
  /** Whom the calls go to, where that is known: errors name it. */
  readonly agentId?: string | undefined
  /** Default: a scope that is missing is told, and not asked for. */
  readonly stepUp?: StepUp | undefined
  /** Default `refuse`. */
  readonly approvals?: ApprovalPolicy | undefined
  /** Default: what failed on the way is not sent again. */
  readonly retry?: Retry | undefined
  readonly clock?: Clock | undefined
}

/** Creates the link. It stands before the link that sends. */
export function createAuthLink<Router extends AnyTRPCRouter>(
  options: AuthLinkOptions,
): TRPCLink<Router> {
  const { agentId, approvals = 'refuse', clock = systemClock } = options
  const { openAuthorizer, retry, stepUp } = options
  return () =>
    ({ next, op }) =>
      observable((observer) => {
        const used = new Set<'renewal' | 'step-up' | 'approval'>()
        let attempt = 1
        let isAnswered = false
        /** Whether an attempt may have been carried out of which nothing was heard. */
        let isLost = false
        let isOver = false
        let gaveUp: AbortController | undefined
        let sent: Unsubscribable | undefined
        /** Scopes beside the client's own, and the refusal that they were asked for after, if they were. */
        let more = stepUp?.granted() ?? []
        let stepUpFor: ClientError | undefined
        let authorizer = openAuthorizer(op, { scopes: more })

        /** Only what waits needs one. */
        function getSignal(): AbortSignal {
          gaveUp ??= new AbortController()
          return gaveUp.signal
        }

        /** At once where the authorization is there, as it is for all calls but a few. */
        function begin(): void {
          const authorization = authorizer.peek?.()
          if (authorization === undefined) void authorize()
          else send(authorization)
        }

        async function authorize(): Promise<void> {
          try {
            const authorization = await authorizer.authorize(getSignal())
            if (stepUpFor !== undefined) stepUp?.note(more, true)
            if (!isOver) send(authorization)
          } catch (cause) {
            if (!isOver) observer.error(TRPCClientError.from(toRefusal(cause)))
          }
        }

        function send(authorization: Authorization): void {
          sent = next({
            ...op,
            context: { ...op.context, [CONTEXT_KEY]: { authorization, authorizer } },
          }).subscribe({
            next(value) {
              // That a stream begins is said before the agent has looked at who subscribes.
              if (isData(value.result.type)) isAnswered = true
              observer.next(value)
            },
            complete: () => {
              retry?.noteSuccess()
              observer.complete()
            },
            error(cause) {
              const error = noteAgentId(toClientError(cause), agentId)
              if (!isAnswered) void answer(error, authorization)
              else {
                // Whoever subscribes again must not get the same token.
                if (isInvalidToken(error)) authorizer.renew(authorization)
                observer.error(TRPCClientError.from(error))
              }
            },
          })
        }

        /** Where more was asked for in vain, what the agent said is what the caller has to know. */
        function toRefusal(cause: unknown): ClientError {
          const error = noteAgentId(toClientError(cause), agentId)
          if (stepUpFor === undefined || error.code !== 'token_refused') return error
          stepUp?.note(more, false)
          return stepUpFor
        }

        /** Sends the call again where that can help; otherwise its caller is told. */
        async function answer(error: ClientError, refused: Authorization): Promise<void> {
          try {
            isLost ||= op.type === 'mutation' && findCallFate(error) === 'lost'
            if (!(await prepare(error, refused)) && !(await waitForNext(error))) {
              observer.error(TRPCClientError.from(isLost ? noteMayBeDone(error) : error))
            } else if (!isOver) begin()
          } catch (cause) {
            if (!isOver) observer.error(TRPCClientError.from(toClientError(cause)))
          }
        }

        async function waitForNext(error: ClientError): Promise<boolean> {
          // Who has no time left for another attempt is told what is wrong, in place of a deadline later.
          const leftMs = readDeadline(op)?.remainingMs() ?? Infinity
          const waitMs = retry?.findWaitMs(op, error, { attempt, leftMs })
          if (waitMs === undefined) return false
          attempt += 1
          await wait(clock, waitMs, getSignal())
          return true
        }

        async function prepare(error: ClientError, refused: Authorization): Promise<boolean> {
          readProgress(op)?.noteFailed(mayBeDone(error))
          // What was ended in the middle, as by the end of its token, would be carried out twice.
          if (error.mayBeDone === true && retry?.isIdempotent(op) !== true) return false
          if (isInvalidToken(error) && !used.has('renewal')) {
            used.add('renewal')
            return authorizer.renew(refused)
          }
          if (error.code === 'scope_missing' && !used.has('step-up')) {
            const scopes = stepUp?.ask(error, more)
            if (scopes === undefined) return false
            used.add('step-up')
            stepUpFor = error
            more = scopes
            authorizer = openAuthorizer(op, { scopes })
            return true
          }
          if (error.code === 'approval_required' && !used.has('approval')) {
            if (approvals === 'refuse' || error.approval === undefined) return false
            used.add('approval')
            const approval = await toCallForApproval(op, error.approval, approvals)
            authorizer = openAuthorizer(op, { approval, scopes: more })
            return true
          }
          if (error.code === 'approval_pending' && approvals === 'wait') {
            // Somebody further on waits for an approval: the same call again, until it is decided.
            await wait(clock, Math.max(error.intervalSeconds ?? 5, 1) * 1000, getSignal())
            return true
          }
          return false
        }

        begin()
        return () => {
          isOver = true
          gaveUp?.abort()
          sent?.unsubscribe()
        }
      })
}

/** Reads what `createAuthLink` put into an operation. Throws when the link is missing: a bug. */
export function readAuthorization(op: Pick<Operation, 'context'>): Authorization {
  return readAuthorized(op).authorization
}

/** The same, with what it came from: a connection belongs to that, however often the token changes. */
export function readAuthorized(op: Pick<Operation, 'context'>): Authorized {
  const authorized = op.context[CONTEXT_KEY]
  if (isAuthorized(authorized)) return authorized
  throw new TypeError('the auth link must stand before the link that sends')
}

function isAuthorized(value: unknown): value is Authorized {
  if (typeof value !== 'object' || value === null) return false
  return 'authorization' in value && value.authorization instanceof Authorization
}

/** Whether a call that was refused so may have been carried out, in part or in whole. */
function mayBeDone(error: ClientError): boolean {
  if (error.mayBeDone !== undefined) return error.mayBeDone
  const isRefused = isInvalidToken(error) || error.code === 'approval_required'
  return !isRefused && !NOT_CARRIED_OUT.has(error.code) && findCallFate(error) !== 'unsent'
}

/** A query's answer says nothing of its type. */
function isData(type: string | undefined): boolean {
  return type === undefined || type === 'data'
}

/** RFC 6750 §3.1 `invalid_token`: answered by a Deputy agent, or a plain 401 by any other tRPC server. */
export function isInvalidToken({ code, status }: ClientError): boolean {
  return (
    status === 401 && (code === 'unauthorized' || (code.startsWith('token_') && !OWN.has(code)))
  )
}

/** What the authorization server answered, not the agent. */
const OWN: ReadonlySet<string> = new Set([
  'token_refused',
  'token_unavailable',
  'token_response_invalid',
] satisfies ClientErrorCode[])

// Gives each call its authorization, and on `invalid_token` asks for a fresh one and sends the call
// once more. A call that was answered 401 was not carried out, so mutations are safe to send again.
import { TRPCClientError, type Operation, type TRPCLink } from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { observable, type Unsubscribable } from '@trpc/server/observable'
import { Authorization, type Authorizer } from './authorization.ts'
import { toClientError } from './client-error.ts'

/** Name of the authorization in an operation's context. */
const CONTEXT_KEY = 'deputyAuthorization'

/** Creates the link. It stands before the link that sends. */
export function createAuthLink<Router extends AnyTRPCRouter>(
  authorizer: Authorizer,
): TRPCLink<Router> {
  return () =>
    ({ next, op }) =>
      observable((observer) => {
        let isStopped = false
        let isAnswered = false
        let sent: Unsubscribable | undefined

        async function send(mayRetry: boolean): Promise<void> {
          let authorization: Authorization
          try {
            authorization = await authorizer.authorize()
          } catch (error) {
            if (!isStopped) observer.error(TRPCClientError.from(toClientError(error)))
            return
          }
          if (isStopped) return
          sent = next({
            ...op,
            context: { ...op.context, [CONTEXT_KEY]: authorization },
          }).subscribe({
            next(value) {
              isAnswered = true
              observer.next(value)
            },
            complete: () => {
              observer.complete()
            },
            error(error) {
              const canRetry = mayRetry && !isAnswered && isInvalidToken(error)
              if (canRetry && authorizer.renew(authorization)) void send(false)
              else observer.error(error)
            },
          })
        }

        void send(true)
        return () => {
          isStopped = true
          sent?.unsubscribe()
        }
      })
}

/** Reads what `createAuthLink` put into an operation. Throws when the link is missing: a bug. */
export function readAuthorization(op: Pick<Operation, 'context'>): Authorization {
  const authorization = op.context[CONTEXT_KEY]
  if (authorization instanceof Authorization) return authorization
  throw new TypeError('the auth link must stand before the link that sends')
}

/** RFC 6750 §3.1 `invalid_token`: answered by a Deputy agent, or a plain 401 by any other tRPC server. */
function isInvalidToken(error: { readonly data?: unknown }): boolean {
  const { code, status } = toClientError(error)
  return status === 401 && (code.startsWith('token_') || code === 'unauthorized')
}

// Who a request or a connection comes from: the one place where a transport's own words for headers end.
import type { TRPCRequestInfo } from '@trpc/server/http'
import { createCallerAddress, type ReadCallerAddress } from '../limit/caller-address.ts'
import type { FailureGuard } from '../limit/failure-guard.ts'
import type { RateLimitRefusal } from '../limit/rate-limit.ts'
import { refuse, type Result } from '../protocol/index.ts'
import type {
  Authenticated,
  AuthenticationRefusal,
  Authenticator,
} from '../verify/authenticator.ts'
import type { HeaderLookup } from '../verify/credential.ts'
import type { RequestTarget } from '../verify/token-binding.ts'

/** The part of a request that is looked at: structural, so that any adapter of tRPC fits. */
export type AgentContextRequest = {
  readonly req: {
    readonly method?: string | undefined
    readonly url?: string | undefined
    readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
    readonly socket?: { readonly remoteAddress?: string | undefined } | undefined
  }
  readonly info?:
    | Partial<Pick<TRPCRequestInfo, 'accept' | 'connectionParams' | 'isBatchCall'>>
    | undefined
  /** Aborts the signal that tRPC hands to the procedures of the request. */
  readonly abort?: ((reason: Error) => void) | undefined
}

export type CallerVerifierOptions = {
  readonly authenticator: Authenticator
  /** Where callers reach the agent, without a slash at the end. Without it no bound token is taken. */
  readonly publicUrl?: (() => string) | undefined
  /** Slows down an address that fails to authenticate again and again. Default: none. */
  readonly failureGuard?: FailureGuard | undefined
  /** Reads where a caller comes from. Default: the socket's address, see `createCallerAddress`. */
  readonly readAddress?: ReadCallerAddress | undefined
}

export type CallerRefusal = AuthenticationRefusal | RateLimitRefusal

/** Verifies whatever a header look-up finds. */
export type VerifyCaller = (header: HeaderLookup) => Promise<Result<Authenticated, CallerRefusal>>

/** Creates the verification of what one request or connection sends. */
export function createCallerVerifier(
  { authenticator, failureGuard, publicUrl, readAddress = readSocket }: CallerVerifierOptions,
  { req }: AgentContextRequest,
): VerifyCaller {
  const target = readTarget(req, publicUrl)
  // Not the whole request, which a connection would keep. Its address costs a call of the system: only when needed.
  const from = { socket: req.socket, forwardedFor: req.headers['x-forwarded-for'] }
  const getAddress = (): string => readAddress(from)

  return async (header) => {
    const authenticated = await authenticator.authenticate(header, target, getAddress)
    if (authenticated.ok || !isFailure(authenticated.refusal)) return authenticated
    const refusal = await failureGuard?.({ clientId: undefined, address: getAddress() })
    return refusal === undefined ? authenticated : refuse(refusal)
  }
}

const readSocket = createCallerAddress()

/** What a connection said in its first message, if it said anything there, or else the request's headers. */
export function createHeaderLookup({
  info,
  req,
}: AgentContextRequest): (name: string) => string | undefined {
  const parameters = info?.connectionParams
  return (name) => {
    if (parameters) return parameters[name]
    const value = req.headers[name]
    return typeof value === 'string' ? value : value?.join(', ')
  }
}

const NO_FAILURES: ReadonlySet<AuthenticationRefusal['reason']> = new Set([
  'credentials_missing',
  'dpop_nonce_required',
  'rate_limited',
  'verifier_unavailable',
])

/** Whether the caller is at fault: not when it sent nothing or has yet to learn a nonce, and not when nobody could be asked. */
function isFailure({ reason }: AuthenticationRefusal): boolean {
  return !NO_FAILURES.has(reason)
}

/** Attack prevented: a request line or a `Host` of the caller's choice, to make a proof for another agent fit. */
function readTarget(
  { method, url }: AgentContextRequest['req'],
  publicUrl: (() => string) | undefined,
): RequestTarget | undefined {
  if (publicUrl === undefined || method === undefined) return undefined
  if (url === undefined || !url.startsWith('/')) return undefined
  return { method, url: publicUrl() + url }
}

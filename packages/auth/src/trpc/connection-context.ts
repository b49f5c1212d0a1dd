// The context of a connection that outlives its credential: who is calling is asked again for each call, and the
// caller may present another token for the same authority without connecting again (ADR 0023).
import { accept, refuse, TIMEOUT_HEADER, type Result } from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import type { Refusal } from '../refusal.ts'
import type { Authenticated } from '../verify/authenticator.ts'
import type { HeaderLookup } from '../verify/credential.ts'
import {
  createCallerVerifier,
  createHeaderLookup,
  type AgentContextRequest,
  type CallerRefusal,
} from './caller-verifier.ts'
import type { AgentContext, AgentContextOptions } from './context.ts'
import { findOtherCaller } from './same-caller.ts'
import { readCallTrace } from './trace-id.ts'
import type { Readmit } from './until-end.ts'

/** The context of one connection. All its calls share it. */
export type ConnectionContext = AgentContext & {
  /**
   * Verifies another credential and goes on with it: calls that come later wait for it, those under way
   * go on if it allows them and otherwise end. Refuses one of another caller; then the old one stays.
   */
  present(header: HeaderLookup): Promise<Result<Principal, Refusal>>
  /** Ends every watch. Called when the connection is closed. */
  close(): void
  /** What was said as `deputy-timeout-ms` for the calls of the connection. */
  readonly timeoutHeader: string | undefined
}

type Call = { readonly onEnd: (refusal: Refusal) => void; readonly readmit: Readmit | undefined }
type Admission = Result<Authenticated, CallerRefusal>

/**
 * Creates the context of a WebSocket connection. It reads `connectionParams`, which use the names of headers
 * (`authorization`, `x-api-key`, `dpop`), or else the headers of the upgrade request: a proof is made for GET
 * and the endpoint's http(s) URL.
 */
export function createConnectionContext(
  options: AgentContextOptions,
): (request: AgentContextRequest) => ConnectionContext {
  const createCorrelationId = options.createCorrelationId ?? (() => crypto.randomUUID())

  return (request) => {
    const verify = createCallerVerifier(options, request)
    const calls = new Set<Call>()
    let caller: Authenticated | undefined
    let ended: Refusal | undefined
    let isClosed = false
    let unwatch: (() => void) | undefined
    /** Held until it was looked at: a connection outlives its handshake by days. */
    let first: AgentContextRequest | undefined = request
    /** The latest of what was presented: calls wait for it. */
    let admission: Promise<Admission> | undefined

    function adopt(next: Authenticated): void {
      unwatch?.()
      caller = next
      if (isClosed) return
      unwatch = next.watch((refusal) => {
        ended = refusal
        for (const call of calls) call.onEnd(refusal)
        calls.clear()
      })
    }

    async function admitFirst(): Promise<Admission> {
      const header = first === undefined ? () => undefined : createHeaderLookup(first)
      first = undefined
      const verified = await verify(header)
      if (verified.ok) adopt(verified.value)
      return verified
    }

    /** Ends what is under way that the new principal may not do, or of which nobody can say whether it may. */
    async function readmit(principal: Principal): Promise<void> {
      await Promise.all(
        [...calls].map(async (call) => {
          const refusal = await findRefusal(call, principal)
          if (refusal !== undefined && calls.delete(call)) call.onEnd(refusal)
        }),
      )
    }

    async function replace(header: HeaderLookup): Promise<Result<Authenticated, Refusal>> {
      const next = await verify(header)
      if (!next.ok) return next
      if (ended !== undefined) return refuse(ended)
      const other = caller && findOtherCaller(caller.principal, next.value.principal)
      if (other !== undefined) return refuse({ reason: 'caller_changed', changed: other })
      adopt(next.value)
      await readmit(next.value.principal)
      return next
    }

    const correlationId = createCorrelationId()
    return {
      transport: 'websocket',
      timeoutHeader: createHeaderLookup(request)(TIMEOUT_HEADER),
      correlationId,
      ...readCallTrace(createHeaderLookup(request)('traceparent'), correlationId),
      observeCall: options.observeCall,
      limitStores: options.limitStores,
      callsUnderWay: options.callsUnderWay,
      // A connection has no headers to put them in, and would collect them for ever.
      rateLimits: [],
      limit: async (principal) => (await options.limitCaller?.(principal)) ?? accept(undefined),
      getSubjectToken: () => caller?.subjectToken,

      findHolder() {
        if (ended !== undefined) return refuse(ended)
        return caller && accept(caller.principal)
      },

      watch(onEnd, readmitCall) {
        const call = { onEnd, readmit: readmitCall }
        calls.add(call)
        return () => calls.delete(call)
      },

      async authenticate() {
        admission ??= admitFirst()
        const admitted = await admission
        return admitted.ok ? admitted.value.recheck() : admitted
      },

      async present(header) {
        const before = admission ?? admitFirst()
        const replaced = before.then(async () => replace(header))
        admission = replaced.then(
          async (result) => (result.ok ? accept(result.value) : before),
          async () => before,
        )
        // Attack prevented: a rejection that no call waits for, which would end the process.
        admission.catch(() => undefined)
        const result = await replaced
        return result.ok ? accept(result.value.principal) : result
      },

      close() {
        isClosed = true
        unwatch?.()
        calls.clear()
      },
    }
  }
}

/** Why a call may not go on under the new principal. What fails by itself is an answer, too: it ends no other call. */
async function findRefusal({ readmit }: Call, principal: Principal): Promise<Refusal | undefined> {
  try {
    const admitted = await readmit?.(principal)
    return admitted?.ok === false ? admitted.refusal : undefined
  } catch (cause) {
    return { reason: 'limit_unavailable', detail: cause instanceof Error ? cause.message : '' }
  }
}

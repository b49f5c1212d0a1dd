// The only way to make a procedure: with the scopes it needs. The builder without scopes is not
// exported, so a procedure that forgot its scope does not compile, and `assertScopedRouter` catches
// one that was smuggled in from another tRPC instance.
import { getTRPCErrorFromUnknown, initTRPC, type AnyTRPCRouter } from '@trpc/server'
import type { Principal } from '../principal.ts'
import { findMissingScopes, type Scope } from '../protocol/index.ts'
import { AuthError } from './auth-error.ts'
import type { AgentContext } from './context.ts'
import { toPublicError } from './error-data.ts'
import { bubbleApproval } from './bubbled-approval.ts'
import { createCallGuard, isStream, type CallGuard } from './until-end.ts'
import { checkLimits } from './limit-guard.ts'
import {
  listProcedures,
  toMeta,
  type AgentMeta,
  type MetaOf,
  type ScopedProcedureArguments,
  type WithMeta,
} from './procedure-needs.ts'

const t = initTRPC
  .context<AgentContext>()
  .meta<AgentMeta>()
  .create({
    isDev: false,
    errorFormatter({ ctx, error, shape }) {
      const { data, message } = toPublicError(error)
      const { code, httpStatus, path } = shape.data
      const correlationId = ctx?.correlationId
      return { ...shape, message, data: { code, httpStatus, path, correlationId, ...data } }
    },
  })

/**
 * Checks, inside a handler, a scope that only the input makes necessary. Throws the same 403 as a
 * procedure that needs the scope always.
 */
export function requireScope(principal: Principal, ...scopes: readonly [Scope, ...Scope[]]): void {
  const missingScopes = findMissingScopes(scopes, principal.scopes)
  if (missingScopes.length === 0) return
  throw new AuthError({
    reason: 'scope_missing',
    requiredScopes: scopes,
    grantedScopes: principal.scopes,
    missingScopes,
  })
}

/**
 * Starts a procedure that needs these scopes (all of them): `scopedProcedure('billing:read')`. Given an
 * object, it says also which limits of a credential the procedure keeps itself, and whether somebody has to
 * approve each call. All of it becomes part of the contract (`meta`). Every handler has `ctx.principal`, and
 * `ctx.getSignal()`: aborted when the caller gives up or its authority ends, whatever comes first.
 *
 * Throws `TypeError` for a scope that RFC 6749 §3.3 does not allow, and for a limit that the guard keeps.
 */
export function scopedProcedure<const Needs extends ScopedProcedureArguments>(
  ...needs: Needs
): WithMeta<ReturnType<typeof startProcedure>, MetaOf<Needs>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type says which scopes `meta` has
  return startProcedure(toMeta(needs)) as WithMeta<ReturnType<typeof startProcedure>, MetaOf<Needs>>
}

function startProcedure(meta: AgentMeta) {
  return t.procedure.meta(meta).use(async ({ ctx, getRawInput, next, path, signal, type }) => {
    const end = ctx.observeCall?.({
      path,
      type,
      correlationId: ctx.correlationId,
      traceId: ctx.traceId,
    })
    let principal: Principal | undefined
    let guard: CallGuard | undefined
    try {
      const authenticated = await ctx.authenticate()
      if (!authenticated.ok) throw new AuthError(authenticated.refusal)
      principal = authenticated.value
      requireScope(principal, ...meta.scopes)
      const counted = await ctx.limit(principal)
      if (!counted.ok) throw new AuthError(counted.refusal)
      const stores = ctx.limitStores
      const kept = await checkLimits({ principal, path, meta, stores, readInput: getRawInput })
      if (!kept.ok) throw new AuthError(kept.refusal)
      const own = createCallGuard(ctx.watch, signal)
      guard = own
      const getSignal = (): AbortSignal => own.signal
      const result = await own.race(next({ ctx: { principal, getSignal } }))
      if (!result.ok) throw bubbleApproval(result.error)
      if (isStream(result.data)) {
        // The stream is watched on, until it ends.
        guard = undefined
        await end?.({ principal, error: undefined })
        return { ...result, data: own.guard(result.data) }
      }
      await end?.({ principal, error: undefined })
      return result
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause)
      await end?.({ principal, error })
      throw error
    } finally {
      guard?.stop()
    }
  })
}

/** Groups scoped procedures under names. Throws `TypeError` for one that declares no scope. */
export const agentRouter: typeof t.router = (record) => {
  const router = t.router(record)
  assertScopedRouter(router)
  return router
}

/** Checks that every procedure of a router declares its scopes. Throws `TypeError` naming the first that does not. */
export function assertScopedRouter(router: AnyTRPCRouter): void {
  for (const { path, scopes } of listProcedures(router)) {
    if (scopes.length === 0) {
      throw new TypeError(`procedure "${path}" declares no scope: make it with scopedProcedure(…)`)
    }
  }
}

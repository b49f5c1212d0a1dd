// The only way to make a procedure: with the scopes it needs. The builder without scopes is not
// exported, so a procedure that forgot its scope does not compile, and `assertScopedRouter` catches
// one that was smuggled in from another tRPC instance.
import {
  getTRPCErrorFromUnknown,
  initTRPC,
  type AnyTRPCProcedure,
  type AnyTRPCRouter,
} from '@trpc/server'
import type { Principal } from '../principal.ts'
import { findMissingScopes, isScopeToken, type Scope } from '../protocol/index.ts'
import { AuthError } from './auth-error.ts'
import type { AgentContext } from './context.ts'
import { toPublicError } from './error-data.ts'

/** What a procedure says of itself. Callers and operators read it from the router. */
export type AgentMeta = {
  /** All of them are needed. */
  readonly scopes: readonly [Scope, ...Scope[]]
}

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
 * Starts a procedure that needs these scopes (all of them). The scopes become part of the contract
 * (`meta.scopes`), and `ctx.principal` is there in every handler.
 *
 * Throws `TypeError` for a scope that RFC 6749 §3.3 does not allow.
 */
export function scopedProcedure(...scopes: readonly [Scope, ...Scope[]]) {
  const bad = scopes.find((scope) => !isScopeToken(scope))
  if (bad !== undefined)
    throw new TypeError(`${JSON.stringify(bad)} is not a scope (RFC 6749 §3.3)`)
  return t.procedure.meta({ scopes }).use(async ({ ctx, next, path, type }) => {
    const end = ctx.observeCall?.({ path, type, correlationId: ctx.correlationId })
    let principal: Principal | undefined
    try {
      const authenticated = await ctx.authenticate()
      if (!authenticated.ok) throw new AuthError(authenticated.refusal)
      principal = authenticated.value
      requireScope(principal, ...scopes)
      const counted = await ctx.limit(principal)
      if (!counted.ok) throw new AuthError(counted.refusal)
      const result = await next({ ctx: { principal } })
      await end?.({ principal, error: result.ok ? undefined : result.error })
      return result
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(cause)
      await end?.({ principal, error })
      throw error
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

/** A procedure as the contract has it. */
export type ProcedureSummary = {
  readonly path: string
  readonly type: 'query' | 'mutation' | 'subscription'
  readonly scopes: readonly string[]
}

/** Lists a router's procedures with what they need, in the order they were written. */
export function listProcedures(router: AnyTRPCRouter): readonly ProcedureSummary[] {
  const procedures: Record<string, AnyTRPCProcedure> = router._def.procedures
  return Object.entries(procedures).map(([path, procedure]) => {
    return { path, type: procedure._def.type, scopes: readScopes(procedure._def.meta) }
  })
}

/** A procedure of another tRPC instance may carry any meta, or none. */
function readScopes(meta: unknown): readonly string[] {
  if (typeof meta !== 'object' || meta === null || !('scopes' in meta)) return []
  return Array.isArray(meta.scopes) ? meta.scopes.filter((scope) => typeof scope === 'string') : []
}

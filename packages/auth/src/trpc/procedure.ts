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
import {
  accept,
  findMissingScopes,
  refuse,
  toCanonicalJson,
  type Deadline,
  type Scope,
} from '../protocol/index.ts'
import type { ScopeRefusal } from '../refusal.ts'
import { AuthError } from './auth-error.ts'
import type { CallDeadline } from './call-deadline.ts'
import type { AgentContext } from './context.ts'
import { toPublicError } from './error-data.ts'
import { bubbleRefusal } from './bubbled-refusal.ts'
import {
  createCallGuard,
  isStream,
  type CallGuard,
  type Readmit,
  type WatchEnd,
} from './until-end.ts'
import { guardParts } from './guard-parts.ts'
import { checkLimits } from './limit-guard.ts'
import { requireForm } from './result-form.ts'
import {
  isGuarded,
  toMeta,
  type AgentMeta,
  type MetaOf,
  type ScopedProcedureArguments,
  type WithMeta,
} from './procedure-needs.ts'
import { noteBegun } from './begun-mutation.ts'
import { meetDeadline, requireDeadline, requireTime, watchDeadline } from './watch-deadline.ts'

const t = initTRPC
  .context<AgentContext>()
  .meta<AgentMeta>()
  .create({
    isDev: false,
    // Comments keep proxies from closing a stream on which nothing happens, and show a peer that is gone.
    sse: {
      ping: { enabled: true, intervalMs: 15_000 },
      client: { reconnectAfterInactivityMs: 45_000 },
    },
    errorFormatter({ ctx, error, shape }) {
      const { data, message } = toPublicError(error)
      const { code, httpStatus, path } = shape.data
      const correlationId = ctx?.correlationId
      return { ...shape, message, data: { code, httpStatus, path, correlationId, ...data } }
    },
  })

/**
 * Checks, inside a handler, a scope that only the input makes necessary. Throws the same 403 as a
 * procedure that needs the scope always; in a mutation it says that the call may have been carried out in part
 * (`mayBeDone`), so that no client asks for the scope and silently sends the call again.
 */
export function requireScope(principal: Principal, ...scopes: readonly [Scope, ...Scope[]]): void {
  const missing = checkScopes(principal, scopes)
  if (missing !== undefined) throw new AuthError(missing)
}

function checkScopes(
  principal: Principal,
  scopes: readonly [Scope, ...Scope[]],
): ScopeRefusal | undefined {
  const missingScopes = findMissingScopes(scopes, principal.scopes)
  if (missingScopes.length === 0) return undefined
  return {
    reason: 'scope_missing',
    requiredScopes: scopes,
    grantedScopes: principal.scopes,
    missingScopes,
  }
}

/**
 * Starts a procedure that needs these scopes (all of them): `scopedProcedure('billing:read')`. Given an
 * object, it says also which limits of a credential the procedure keeps itself, and whether somebody has to
 * approve each call. All of it becomes part of the contract (`meta`). Every handler has `ctx.principal`, and
 * `ctx.getSignal()`: aborted when the caller gives up, its deadline passes or its authority ends, whatever comes
 * first; `ctx.getDeadline()` says how long it still waits.
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
    let leave: (() => void) | undefined
    let deadline: CallDeadline | undefined
    let mayBeDone = false
    try {
      deadline = requireDeadline(ctx, type)
      requireTime(deadline)
      const authenticated = await ctx.authenticate()
      if (!authenticated.ok) throw new AuthError(authenticated.refusal)
      principal = authenticated.value
      requireScope(principal, ...meta.scopes)
      const counted = await ctx.limit(principal)
      if (!counted.ok) throw new AuthError(counted.refusal)
      leave = enterCall(ctx, principal)
      requireTime(deadline)
      const stores = ctx.limitStores
      const { limits } = principal
      // Under another token of the same caller: its scopes again, its limits where they are others.
      const readmit: Readmit = async (given) => {
        const missing = checkScopes(given, meta.scopes)
        if (missing !== undefined) return refuse(missing)
        if (toCanonicalJson(given.limits) === toCanonicalJson(limits)) return accept(undefined)
        return checkLimits({ principal: given, path, meta, stores, readInput: getRawInput })
      }
      await meetChange(ctx, principal, readmit)
      // Watched from here on, before a body is read for the limits: whoever is revoked while it is held back is cut off.
      const entered = ctx.takesParts === true ? leave : undefined
      const watch = watchDeadline(ctx, deadline)
      const own = createCallGuard({
        watch: entered === undefined ? watch : leaveWithWatch(watch, entered),
        signal,
        readmit,
        agentId: principal.audience,
      })
      guard = own
      // Attack prevented: a body held back until its caller is revoked, and work that begins with its last byte.
      const readInput = async (): Promise<unknown> => own.race(getRawInput())
      const kept = await checkLimits({ principal, path, meta, stores, readInput })
      if (!kept.ok) throw new AuthError(kept.refusal)
      mayBeDone = type === 'mutation'
      own.begin(mayBeDone)
      const told: Deadline | undefined = deadline
      const handed = { principal, getSignal: () => own.getSignal(), getDeadline: () => told }
      const work = next(toNext(handed, readInput))
      // Counted until the work is done, also where nobody waits for it any more: what is given up goes on.
      if (entered !== undefined) holdUntilDone(own, work)
      else if (leave !== undefined) work.then(leave, leave)
      leave = undefined
      const result = await own.race(work)
      if (!result.ok) {
        const error = bubbleRefusal(result.error, principal.audience)
        throw mayBeDone ? noteBegun(error) : error
      }
      requireForm(result.data, { path, type, takesParts: ctx.takesParts })
      const opened = isStream(result.data)
        ? ctx.openStreams?.open(principal, (refusal) => own.end(refusal))
        : undefined
      if (opened?.ok === false) throw new AuthError(opened.refusal)
      await end?.({ principal, error: undefined })
      // A stream, or an answer in parts, is watched on until it ends.
      if (isStream(result.data)) {
        return { ...result, data: own.guard(result.data, opened?.value) }
      }
      return ctx.takesParts === true ? { ...result, data: guardParts(result.data, own) } : result
    } catch (cause) {
      const error = getTRPCErrorFromUnknown(meetDeadline(cause, deadline, mayBeDone))
      await end?.({ principal, error })
      throw error
    } finally {
      leave?.()
      guard?.release()
    }
  })
}

/**
 * What a connection became while a call waited to be admitted: another token must allow the call, too, and an authority
 * that has ended allows none. Throws the refusal.
 *
 * Attack prevented: a call that is held at its limits until the token that forbids it was presented, or all was revoked.
 */
async function meetChange(
  { findHolder }: AgentContext,
  principal: Principal,
  readmit: Readmit,
): Promise<void> {
  if (findHolder === undefined) return
  let checked = principal
  // Anew after each wait: nothing is between the last look and the watch.
  for (;;) {
    const holder = findHolder()
    if (holder === undefined) return
    if (!holder.ok) throw new AuthError(holder.refusal)
    if (holder.value.credential.id === checked.credential.id) return
    checked = holder.value
    const admitted = await readmit(checked)
    if (!admitted.ok) throw new AuthError(admitted.refusal)
  }
}

/** tRPC's `next` takes context and input together, and types but one of them at a time. */
function toNext<Handed extends object>(
  ctx: Handed,
  getRawInput: () => Promise<unknown>,
): { readonly ctx: Handed } {
  const options = { ctx, getRawInput }
  return options
}

/** How soon a caller may try again whose calls are all under way: sooner or later one of them ends. */
const RETRY_CALL_AFTER_SECONDS = 1

/** Counts a call until what it answers is called. Throws `too_many_calls`. */
function enterCall(
  { callsUnderWay }: AgentContext,
  { agentId }: Principal,
): (() => void) | undefined {
  if (callsUnderWay === undefined) return undefined
  const leave = callsUnderWay.admit(agentId)
  if (leave !== undefined) return leave
  throw new AuthError({
    reason: 'too_many_calls',
    maxCalls: callsUnderWay.most,
    retryAfterSeconds: RETRY_CALL_AFTER_SECONDS,
  })
}

/** Attack prevented: answers in parts that are given up at once, while the work behind them goes on uncounted. */
function holdUntilDone(guard: CallGuard, work: Promise<unknown>): void {
  const release = (): void => guard.release()
  guard.hold()
  work.then(release, release)
}

/** An answer in parts is under way until the last of them, and is watched as long. */
function leaveWithWatch(watch: WatchEnd, leave: () => void): WatchEnd {
  return (onEnd, readmit) => {
    const unwatch = watch(onEnd, readmit)
    return () => {
      unwatch()
      leave()
    }
  }
}

/** Groups scoped procedures under names. Throws `TypeError` for one that is not scoped, or is loaded later. */
export const agentRouter: typeof t.router = (record) => {
  const router = t.router(record)
  assertScopedRouter(router)
  return router
}

/**
 * Checks that `scopedProcedure` made every procedure of a router. Throws `TypeError` naming the first that it did not
 * make, and for a part that is loaded later (`lazy`): nobody could say what its procedures need.
 */
export function assertScopedRouter(router: AnyTRPCRouter): void {
  const { lazy, procedures } = router._def
  const [later] = Object.keys(lazy)
  if (later !== undefined) {
    throw new TypeError(`"${later}" is loaded later: what an agent needs is known when it starts`)
  }
  for (const [path, procedure] of Object.entries<AnyTRPCProcedure>(procedures)) {
    if (!isGuarded(procedure)) {
      throw new TypeError(`procedure "${path}" declares no scope: make it with scopedProcedure(…)`)
    }
  }
}

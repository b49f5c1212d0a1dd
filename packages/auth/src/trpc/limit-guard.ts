// Holds a call to what its credential is limited to (RFC 9396). Every entry is understood by the guard or
// by the procedure, or the call is refused. Pure checks come first, then what can be used up: the calls, and
// the approval last, so that a call that is refused for its limits does not use one up.
import { TRPCError } from '@trpc/server'
import {
  accept,
  hashInput,
  LIMIT_USE_TTL_SECONDS,
  refuse,
  systemClock,
  type Result,
} from '../protocol/index.ts'
import type { Principal } from '../principal.ts'
import { checkAllowedValues } from '../token-limit/allowed-values.ts'
import type { LimitRefusal } from '../token-limit/limit-refusal.ts'
import type { LimitStores } from '../token-limit/limit-stores.ts'
import { readLimits, type TokenLimits } from '../token-limit/read-limits.ts'
import { toReplayKey, type ReplayMemory } from '../verify/replay-memory.ts'
import type { AgentMeta } from './procedure-needs.ts'

export type LimitedCall = {
  readonly principal: Principal
  readonly path: string
  readonly meta: AgentMeta
  readonly stores: LimitStores | undefined
  /** The input as it came, before it is validated. */
  readonly readInput: () => Promise<unknown>
}

type Decision = Promise<Result<undefined, LimitRefusal>>

const KEPT = accept(undefined)

/** Checks a call against the limits of its credential, and counts it. */
export async function checkLimits(call: LimitedCall): Decision {
  const { meta, path, principal, stores } = call
  if (principal.limits.length === 0 && !meta.approval) return KEPT
  const read = readLimits(principal)
  if (!read.ok) return read
  const limits = read.value
  const limitType = limits.types.find((type) => !isHonoured(type, call))
  if (limitType !== undefined) return refuse({ reason: 'limit_not_supported', limitType })
  if (limits.allowedValues.length > 0) {
    const input = await call.readInput()
    const allowed = checkAllowedValues(limits.allowedValues, { procedure: path, input })
    if (!allowed.ok) return allowed
  }
  if (meta.approval || limits.approvals.length > 0) {
    const approved = await checkApproved(call, limits)
    if (!approved.ok) return approved
  }
  return useUp(stores ?? {}, limits)
}

function isHonoured(type: string, { meta, stores }: LimitedCall): boolean {
  if (type === 'allowed_values') return true
  if (type === 'calls') return stores?.callCounter !== undefined
  if (type === 'approved_call') return stores?.approvals !== undefined
  return meta.limits.includes(type)
}

/** Every approval that the credential names must be for this call: it is good for that one alone. */
async function checkApproved(
  { meta, path: procedure, readInput }: LimitedCall,
  { approvals }: TokenLimits,
): Decision {
  const inputSha256 = await hashSent(await readInput())
  const isForThis =
    approvals.length > 0 &&
    approvals.every((one) => one.procedure === procedure && one.inputSha256 === inputSha256)
  if (isForThis) return KEPT
  const reason = meta.approval ? 'approval_required' : 'approval_mismatch'
  return refuse({ reason, procedure, inputSha256 })
}

async function hashSent(input: unknown): Promise<string> {
  try {
    return await hashInput(input)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    const message = `The input cannot be approved: ${cause.message}`
    throw new TRPCError({ code: 'BAD_REQUEST', message, cause })
  }
}

async function useUp(stores: LimitStores, { approvals, calls }: TokenLimits): Decision {
  const expiresAt = (stores.clock ?? systemClock).now() + LIMIT_USE_TTL_SECONDS
  try {
    if (calls.length > 0) {
      const taken = await stores.callCounter?.take(calls, expiresAt)
      if (taken?.ok !== true) return taken ?? refuseUnsupported('calls')
    }
    for (const { identifier } of approvals) {
      const memory = stores.approvals
      if (memory === undefined) return refuseUnsupported('approved_call')
      if (!(await claim(memory, identifier, expiresAt))) {
        return refuse({ reason: 'approval_used', identifier })
      }
    }
    return KEPT
  } catch (error) {
    if (!isUnavailable(error)) throw error
    return refuse({ reason: 'limit_unavailable', detail: error.message })
  }
}

async function claim(memory: ReplayMemory, identifier: string, expiresAt: number) {
  return memory.claimOnce(toReplayKey('approval', identifier), expiresAt)
}

function refuseUnsupported(limitType: string): Result<never, LimitRefusal> {
  return refuse({ reason: 'limit_not_supported', limitType })
}

/** Whether a store could not be asked: matched by code, since stores come from other packages. */
function isUnavailable(error: unknown): error is Error {
  if (!(error instanceof Error) || !('code' in error)) return false
  return typeof error.code === 'string' && error.code.endsWith('_unavailable')
}

import type { TRPCError } from '@trpc/server'
import type { Principal } from '../principal.ts'

/** A call as it arrives, before anything is verified. */
export type CallStart = {
  readonly path: string
  readonly type: 'query' | 'mutation' | 'subscription'
  readonly correlationId: string
  readonly traceId: string
}

/** How a call ended: for a subscription, how its start did. */
export type CallEnd = {
  /** `undefined` when the caller could not be authenticated. */
  readonly principal: Principal | undefined
  /** `undefined` when the call was answered. */
  readonly error: TRPCError | undefined
}

/**
 * Told when a call starts; what it returns is told when the call ends. What that returns is waited for
 * before the caller is answered. Must not throw.
 */
export type ObserveCall = (call: CallStart) => (end: CallEnd) => void | Promise<void>

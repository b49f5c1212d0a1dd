import type { Result } from '@deputy/auth/protocol'
import { refuseCall } from '../refusals.ts'
import type { BillingFailure } from './billing-gateway.ts'

/** What billing answered. Throws `billing_refused` with billing's words, or `billing_unavailable`. */
export function requireBilling<Value>(result: Result<Value, BillingFailure>): Value {
  if (result.ok) return result.value
  const { hint, kind, message, reason } = result.refusal
  if (kind === 'unavailable') {
    throw refuseCall('billing_unavailable', `The billing agent cannot be used: ${message}`)
  }
  throw refuseCall('billing_refused', `Billing refused: ${reason}: ${message}. ${hint}`.trim())
}

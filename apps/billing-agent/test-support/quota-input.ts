import { SetQuotaInput } from '@deputy/contracts/billing'
import type { Call } from '@deputy/contracts/call'
import type * as z from 'zod'
import { callBy, USD } from './billing-world.ts'

/** A call by the operator, who may see the whole organisation. */
export const AUDITOR: Call = {
  ...callBy('operator'),
  principal: { ...callBy('operator').principal, scopes: ['billing:audit'] },
}

/** Input of `quotas.set`: money in US dollars, a month, unless it says otherwise. */
export function quotaInput(
  idempotencyKey: string,
  changes: Partial<z.input<typeof SetQuotaInput>> = {},
): SetQuotaInput {
  return SetQuotaInput.parse({
    scope: { kind: 'tenant' },
    measure: { kind: 'money', currency: USD },
    period: 'month',
    cap: 100,
    reason: 'for the test',
    idempotencyKey,
    ...changes,
  })
}

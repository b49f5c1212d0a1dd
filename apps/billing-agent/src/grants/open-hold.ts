import { OpenHold } from '@deputy/contracts/billing'
import type { HoldRecord } from '../holds/hold-store.ts'

/** What is shown of a hold to whoever looks after a grant. */
export function toOpenHold(hold: HoldRecord): OpenHold {
  return OpenHold.parse(hold)
}

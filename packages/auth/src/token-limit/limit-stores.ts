import type { Clock } from '../protocol/index.ts'
import type { ReplayMemory } from '../verify/replay-memory.ts'
import type { CallCounter } from './call-counter.ts'

/** Where an agent keeps what was used of limits. Durable: what it forgets can be used again. */
export type LimitStores = {
  /** Without one, a credential with a `calls` limit is refused. */
  readonly callCounter?: CallCounter | undefined
  /** Approvals that were used. Without one, a credential with an `approved_call` is refused. */
  readonly approvals?: ReplayMemory | undefined
  /** Default: the machine's. */
  readonly clock?: Clock | undefined
}

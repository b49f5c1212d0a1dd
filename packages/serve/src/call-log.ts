// One log line a call: who called what, how it ended, how long it took. Also counts the calls under
// way, so that a drain can wait for the last one.
import { toPublicError, type ObserveCall } from '@deputy/auth/trpc'
import type { Logger } from 'pino'

export type CallLog = {
  readonly observeCall: ObserveCall
  /** Resolves when no call is under way. */
  readonly whenIdle: () => Promise<void>
}

/** Creates the call log of one agent. */
export function createCallLog(logger: Logger): CallLog {
  let underWay = 0
  let waiting: (() => void)[] = []

  function leave(): void {
    underWay -= 1
    if (underWay > 0) return
    for (const resolve of waiting) resolve()
    waiting = []
  }

  return {
    observeCall({ correlationId, path, traceId, type }) {
      underWay += 1
      const startedMs = performance.now()
      return ({ error, principal }) => {
        leave()
        const told = error === undefined ? undefined : toPublicError(error).data
        const line = {
          path,
          type,
          correlationId,
          traceId,
          agentId: principal?.agentId,
          subject: principal?.subject,
          credentialId: principal?.credential.id,
          outcome: told === undefined ? 'ok' : told.reason,
          durationMs: Math.round((performance.now() - startedMs) * 10) / 10,
        }
        // A bug keeps its stack, here and nowhere else.
        if (error?.code === 'INTERNAL_SERVER_ERROR') logger.error({ ...line, err: error }, 'call')
        else if (told?.furtherOn !== undefined) {
          // An operator has to allow it somewhere: which agent lacks what.
          const { furtherOn, requiredScopes: missingScopes } = told
          logger.warn({ ...line, furtherOn, missingScopes }, 'call')
        } else logger.info(line, 'call')
      }
    },

    async whenIdle() {
      if (underWay === 0) return
      await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

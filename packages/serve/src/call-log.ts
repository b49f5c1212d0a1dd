// One log line a call: who called what, how it ended, how long it took; and one for a bug that shows after that. Also
// counts the calls under way, so that a drain can wait for the last one.
import { toPublicError, type AgentContext, type ObserveCall } from '@deputy/auth/trpc'
import type { TRPCError } from '@trpc/server'
import type { Logger } from 'pino'

/** What is told of an error that a caller is answered with. */
export type AnsweredError = {
  readonly error: TRPCError
  readonly path?: string | undefined
  readonly type?: string | undefined
  /** `undefined` where none could be made. */
  readonly ctx?: Pick<AgentContext, 'correlationId' | 'traceId'> | undefined
}

export type CallLog = {
  readonly observeCall: ObserveCall
  /**
   * Told of every error that goes out. Logs a bug that no call was logged with: one that fails a stream on its way, or an
   * answer that cannot be written.
   */
  readonly noteError: (answered: AnsweredError) => void
  /** Resolves when no call is under way. */
  readonly whenIdle: () => Promise<void>
}

/** Creates the call log of one agent. */
export function createCallLog(logger: Logger): CallLog {
  let underWay = 0
  let waiting: (() => void)[] = []
  /** Bugs that a call was logged with. */
  const logged = new WeakSet<TRPCError>()

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
        if (error?.code === 'INTERNAL_SERVER_ERROR') {
          logged.add(error)
          logger.error({ ...line, err: error }, 'call')
        } else if (told?.furtherOn !== undefined) {
          // An operator has to allow it somewhere: which agent lacks what.
          const { furtherOn, requiredScopes: missingScopes } = told
          logger.warn({ ...line, furtherOn, missingScopes }, 'call')
        } else logger.info(line, 'call')
      }
    },

    noteError({ ctx, error, path, type }) {
      if (error.code !== 'INTERNAL_SERVER_ERROR' || logged.has(error)) return
      const { correlationId, traceId } = ctx ?? {}
      const line = { path, type, correlationId, traceId, err: error }
      logger.error(line, 'a bug after the call was logged, or before it was one')
    },

    async whenIdle() {
      if (underWay === 0) return
      await new Promise<void>((resolve) => waiting.push(resolve))
    },
  }
}

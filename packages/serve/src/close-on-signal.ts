import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'
import { readAgentLimits, type AgentLimitsOptions } from './limits/agent-limits.ts'

/** Beyond the drain: for closing what the app itself has open. */
const CLOSE_AFTER_DRAIN_MS = 5000

/**
 * Called by an app's `main.ts` once it runs: on SIGINT, SIGTERM or an error that nothing caught, and
 * when the parent that started it with an IPC channel is gone, drains and exits. Exit code 0 after a
 * signal, 1 after an error, after a second signal, and where closing takes five seconds longer than a drain may.
 *
 * @param limits those of the agent: of them, how long a drain may take
 */
export function closeOnSignal(
  close: () => Promise<void>,
  logger: Logger,
  limits?: AgentLimitsOptions,
): void {
  const delay = readAgentLimits(limits).drainTimeoutMs + CLOSE_AFTER_DRAIN_MS
  const grace = closeWithGrace({ delay, logger: false }, async ({ err, signal }) => {
    if (err) logger.fatal({ err }, 'an error that nothing caught: closing')
    else logger.info({ signal }, 'closing')
    await close()
  })
  process.once('disconnect', () => {
    grace.close()
  })
}

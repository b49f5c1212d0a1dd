import closeWithGrace from 'close-with-grace'
import type { Logger } from 'pino'

/**
 * Called by an app's `main.ts` once it runs: on SIGINT, SIGTERM or an error that nothing caught, and
 * when the parent that started it with an IPC channel is gone, drains and exits. Exit code 0 after a
 * signal, 1 after an error.
 */
export function closeOnSignal(close: () => Promise<void>, logger: Logger): void {
  const grace = closeWithGrace({ delay: 15_000, logger: false }, async ({ err, signal }) => {
    if (err) logger.fatal({ err }, 'an error that nothing caught: closing')
    else logger.info({ signal }, 'closing')
    await close()
  })
  process.once('disconnect', () => {
    grace.close()
  })
}

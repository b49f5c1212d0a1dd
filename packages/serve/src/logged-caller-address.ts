import { createCallerAddress, type ReadCallerAddress } from '@deputy/auth'
import type { Logger } from 'pino'

/** Creates the reading of callers' addresses, which says once in the log that a proxy's stands for all of them. */
export function createLoggedCallerAddress(
  logger: Pick<Logger, 'warn'>,
  trustedProxies: number | undefined,
): ReadCallerAddress {
  return createCallerAddress({
    trustedProxies,
    onUntrusted: () => {
      logger.warn(
        'a request has X-Forwarded-For, and no proxy is trusted: behind one, all callers share the limits of its address. Set DEPUTY_TRUSTED_PROXIES to how many there are',
      )
    },
  })
}

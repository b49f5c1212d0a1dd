import type { Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { Storage } from '../storage/open-storage.ts'
import { createUseLog, type UseLog } from './use-log.ts'

export type OpenUseLogOptions = {
  readonly storage: Pick<Storage, 'issues'>
  readonly clock: Clock
  readonly logger: Logger
}

/** Opens the use log of a server, for credentials of every kind. Closing writes what is left. */
export function openUseLog({ clock, logger, storage }: OpenUseLogOptions): UseLog {
  return createUseLog({
    // Secrets are used with nearly every token: what writes tokens writes uses too.
    write: async (uses) => storage.issues.touch(uses),
    onFault: (err) => logger.warn({ err }, 'last uses were not written'),
    clock,
  })
}

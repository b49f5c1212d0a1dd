import type { Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { Storage } from '../storage/open-storage.ts'
import { createUseLog, type UseLog, type UseLogOptions } from './use-log.ts'

type Write = UseLogOptions['write']

/** The use logs of every kind of credential. */
export type UseLogs = AsyncDisposable & {
  readonly secretUses: UseLog
  readonly clientKeyUses: UseLog
  readonly apiKeyUses: UseLog
}

export type UseLogsOptions = {
  readonly storage: Storage
  readonly clock: Clock
  readonly logger: Logger
}

/** Opens the use logs of a server. Closing writes what is left. */
export function openUseLogs({ clock, logger, storage }: UseLogsOptions): UseLogs {
  const onFault = (err: unknown): void => logger.warn({ err }, 'last uses were not written')
  const open = (write: Write): UseLog => createUseLog({ write, onFault, clock })
  // Secrets are used with nearly every token: what writes tokens writes these too.
  const secretUses = open(async (uses) => storage.issues.touchSecrets(uses))
  const clientKeyUses = open(async (uses) =>
    storage.act(async (stores) => stores.clientKeys.touch(uses)),
  )
  const apiKeyUses = open(async (uses) => storage.act(async (stores) => stores.apiKeys.touch(uses)))
  return {
    secretUses,
    clientKeyUses,
    apiKeyUses,
    async [Symbol.asyncDispose]() {
      for (const log of [secretUses, clientKeyUses, apiKeyUses]) await log[Symbol.asyncDispose]()
    },
  }
}

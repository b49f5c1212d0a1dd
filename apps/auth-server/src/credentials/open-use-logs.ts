import type { Clock } from '@deputy/auth/protocol'
import type { Logger } from '@deputy/serve'
import type { Storage } from '../storage/open-storage.ts'
import { createUseLog, type UseLog } from './use-log.ts'

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
  const open = (kind: 'clientSecrets' | 'clientKeys' | 'apiKeys'): UseLog =>
    createUseLog({
      write: async (uses) => storage.act(async (stores) => stores[kind].touch(uses)),
      onFault,
      clock,
    })
  const secretUses = open('clientSecrets')
  const clientKeyUses = open('clientKeys')
  const apiKeyUses = open('apiKeys')
  return {
    secretUses,
    clientKeyUses,
    apiKeyUses,
    async [Symbol.asyncDispose]() {
      for (const log of [secretUses, clientKeyUses, apiKeyUses]) await log[Symbol.asyncDispose]()
    },
  }
}

// Fills the memory of a server that has just started, so that it issues as fast to a million agents that it has not
// seen yet as to a thousand that it has.
import type { Logger } from '@deputy/serve'
import { setImmediate } from 'node:timers/promises'
import type { ClientMemory } from './client-memory.ts'
import type { SecretReader } from './secret-reader.ts'

export type LearnSecretsOptions = {
  readonly memory: Pick<ClientMemory, 'hasRoom' | 'learn'>
  /** Answers `undefined` where the secrets are learnt as they are asked for. */
  readonly openReader: () => Promise<SecretReader | undefined>
  readonly logger: Logger
}

/** Starts to learn. Disposing ends it; a fault ends it too, and the server goes on with what it learnt. */
export function startLearningSecrets(options: LearnSecretsOptions): AsyncDisposable {
  const { logger, memory, openReader } = options
  const ending = new AbortController()

  async function learn(reader: SecretReader): Promise<void> {
    while (!ending.signal.aborted && memory.hasRoom()) {
      const chunk = await reader.next()
      if (chunk === undefined) return
      await memory.learn(chunk)
      // Calls that wait come first.
      await setImmediate()
    }
  }

  async function learnAll(): Promise<void> {
    try {
      const reader = await openReader()
      if (reader === undefined) return
      try {
        await learn(reader)
      } finally {
        await reader.close()
      }
    } catch (err) {
      logger.warn({ err }, 'secrets were not read ahead: they are looked up as they come')
    }
  }

  const learning = learnAll()
  return {
    async [Symbol.asyncDispose]() {
      ending.abort()
      await learning
    },
  }
}

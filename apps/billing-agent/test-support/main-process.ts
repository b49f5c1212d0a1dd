import { startMainProcess } from '../../../test/support/main-process.ts'

const MAIN = new URL('../src/main.ts', import.meta.url)

export type MainEnvironment = Readonly<Record<string, string>> & { readonly PORT: string }

/** Starts the agent in a process of its own. The environment holds nothing but what is named here. */
export function startMain(environment: MainEnvironment) {
  const main = startMainProcess(MAIN, environment)
  return {
    ...main,
    /** Resolves when it answers; rejects when it ends before. */
    async whenReady() {
      await main.whenLogged('listening')
      // By the time it answers it has heard of signals too: it asks for them right after it listens.
      await fetch(`http://127.0.0.1:${environment.PORT}/livez`)
    },
  }
}

import { startMainProcess } from '../../../test/support/main-process.ts'

const MAIN = new URL('../src/main.ts', import.meta.url)

/** Starts the agent in a process of its own. The environment holds nothing but what is named here. */
export function startMain(environment: Readonly<Record<string, string>>) {
  const main = startMainProcess(MAIN, environment)
  return {
    ...main,
    /** Resolves when it serves and its documents are indexed; rejects when it ends before. */
    whenReady: async () => main.whenLogged('listening', 'documents are indexed'),
  }
}

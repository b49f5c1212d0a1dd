// The server under torture: killed and started again on the same database, on another port each time.
import type { DatabaseLocation } from '@deputy/storage'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import * as z from 'zod'

const MAIN = fileURLToPath(new URL('server-main.ts', import.meta.url))
const Ready = z.object({ url: z.string() })

/** More than holds live: with each start those of before expire. */
const AHEAD_EVERY_START_SECONDS = 4000

export type TortureServer = AsyncDisposable & {
  /** Where it can be called: waits while it starts. Rejects when it does not come up. */
  url(): Promise<string>
  /** SIGKILL, with whatever is under way, and a new start. */
  killAndStart(): Promise<void>
  readonly kills: () => number
}

/** Starts it. */
export function startTortureServer(location: DatabaseLocation, agents: number): TortureServer {
  let kills = 0
  let child: ChildProcess
  let ready: Promise<string>

  function start(): void {
    const database =
      location.file === undefined ? { TORTURE_URL: location.url } : { TORTURE_FILE: location.file }
    child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--conditions=@deputy/source', MAIN],
      {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        env: {
          ...database,
          TORTURE_AGENTS: String(agents),
          TORTURE_AHEAD_SECONDS: String(kills * AHEAD_EVERY_START_SECONDS),
        },
      },
    )
    const ended = once(child, 'exit').then(() => undefined)
    const said = once(child, 'message').then(([message]) => Ready.parse(message).url)
    ready = Promise.race([said, ended]).then((url) => {
      if (url === undefined) throw new Error('the server under torture did not come up')
      return url
    })
    ready.catch(() => undefined)
  }

  async function kill(): Promise<void> {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  start()
  return {
    url: async () => ready,
    async killAndStart() {
      await kill()
      kills += 1
      start()
      await ready
    },
    kills: () => kills,
    [Symbol.asyncDispose]: kill,
  }
}

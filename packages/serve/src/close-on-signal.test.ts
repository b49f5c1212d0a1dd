import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { callTrpc } from '../../../test/support/call-trpc.ts'

const MAIN = fileURLToPath(new URL('../test-support/held-agent.ts', import.meta.url))

/** Starts the agent, and a call that it holds. */
async function startHeldCall(drainTimeoutMs: number) {
  const child = fork(MAIN, [String(drainTimeoutMs)], {
    execArgv: ['--conditions=@deputy/source'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exited = once(child, 'exit')
  const [port]: unknown[] = await once(child, 'message')
  const url = `http://127.0.0.1:${String(port)}`
  const entered = once(child, 'message')
  const call = callTrpc(url, 'hold').then(
    (answer) => answer.data(),
    (error: unknown) => error,
  )
  await entered
  return {
    url,
    call,
    open: () => child.send('open'),
    async kill(signal: NodeJS.Signals): Promise<void> {
      const closing = once(child, 'message')
      child.kill(signal)
      await closing
    },
    killAgain: (signal: NodeJS.Signals) => child.kill(signal),
    exitCode: async (): Promise<unknown> => (await exited)[0],
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  }
}

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: the call under way is answered, no other is taken, and the process ends with 0',
  async (signal) => {
    using agent = await startHeldCall(60_000)

    await agent.kill(signal)
    await expect(callTrpc(agent.url, 'hold')).rejects.toThrow('fetch failed')
    agent.open()

    expect([await agent.call, await agent.exitCode()]).toEqual(['done', 0])
  },
)

test('a call that does not end is cut off after the time of a drain, and the process ends with 0', async () => {
  using agent = await startHeldCall(50)

  await agent.kill('SIGTERM')

  expect([await agent.call, await agent.exitCode()]).toEqual([expect.any(TypeError), 0])
})

test('a second signal ends the process at once, with 1', async () => {
  using agent = await startHeldCall(60_000)
  await agent.kill('SIGTERM')

  agent.killAgain('SIGTERM')

  expect([await agent.call, await agent.exitCode()]).toEqual([expect.any(TypeError), 1])
})

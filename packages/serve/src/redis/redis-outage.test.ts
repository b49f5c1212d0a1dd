import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { expect, inject, test } from 'vitest'
import { findFreePort } from '../../../../test/support/find-free-port.ts'
import { createSettableClock } from '../../../../test/support/settable-clock.ts'
import { createLogger } from '../logger.ts'
import { openRateLimiter } from './open-rate-limiter.ts'

/** Starts a server of the test's own, which it may stop. */
async function startRedis(port: number): Promise<ChildProcess> {
  const binary =
    spawnSync('redis-server', ['--version']).status === 0 ? 'redis-server' : 'valkey-server'
  const settings = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--appendonly',
    'no',
  ]
  const child = spawn(binary, settings, { stdio: ['ignore', 'pipe', 'ignore'] })
  for await (const text of child.stdout ?? []) {
    if (String(text).includes('Ready to accept connections')) break
  }
  return child
}

async function stop(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

test.skipIf(inject('redisUrl') === undefined)(
  'goes on limiting while Redis is gone, and shares again when it is back, without a restart',
  { timeout: 30_000 },
  async () => {
    const port = await findFreePort()
    const lines: string[] = []
    const clock = createSettableClock()
    await using open = openRateLimiter({
      redisUrl: `redis://127.0.0.1:${String(port)}`,
      clock,
      logger: createLogger({ name: 'test', write: (line) => lines.push(line) }),
    })
    const limit = { burst: 2, perMinute: 0.001 }
    const consume = async (key: string): Promise<boolean> =>
      (await open.limiter.consume({ key, tier: 'standard', limit })).ok
    const count = (text: string): number => lines.filter((line) => line.includes(text)).length
    /** Calls until the limiter has said so; each second it asks Redis again. */
    const untilSaid = async (text: string, times: number): Promise<void> => {
      while (count(text) < times) {
        clock.advance(1)
        await consume(randomUUID())
        await setImmediate()
      }
    }

    await untilSaid('limits on its own', 1)
    const first = await startRedis(port)
    await untilSaid('shared again', 1)
    await stop(first)
    await untilSaid('limits on its own', 2)
    const alone = [await consume('alice'), await consume('alice'), await consume('alice')]
    const second = await startRedis(port)
    await untilSaid('shared again', 2)
    const together = [await consume('bob'), await consume('bob'), await consume('bob')]
    await stop(second)

    expect(alone).toEqual([true, true, false])
    expect(together).toEqual([true, true, false])
  },
)

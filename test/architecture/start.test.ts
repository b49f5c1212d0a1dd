// What an agent loads before it can be called: each package is time in which a deployment, or an agent that crashed,
// answers nobody (docs/adr/0045).
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { buildPackages } from '../support/packed-packages.ts'

const Packages = z.array(z.string())
const Report = z.object({
  status: z.number(),
  hasUndici: z.boolean(),
  /** Ours, when it has answered a call. */
  ownFiles: z.int(),
  atStart: Packages,
  afterCall: Packages,
  afterStream: Packages,
  afterSocket: Packages,
})
type Report = z.infer<typeof Report>

/** Starts an agent, and calls it in ways that are common and rare. */
async function start(...nodeOptions: string[]): Promise<Report> {
  const main = fileURLToPath(new URL('start-main.ts', import.meta.url))
  const options = ['--disable-warning=ExperimentalWarning', ...nodeOptions, main]
  const { stdout } = await promisify(execFile)(process.execPath, options)
  return Report.parse(JSON.parse(stdout))
}

describe('an agent from its sources', () => {
  let report: Report

  beforeAll(async () => {
    report = await start('--conditions=@deputy/source')
  })

  test('has loaded what every call needs when it can be called, and nothing else', () => {
    expect(report.atStart).toEqual(expect.arrayContaining(['@trpc/server', 'pino', 'zod']))
    for (const name of [
      '@opentelemetry/api',
      '@opentelemetry/sdk-metrics',
      '@trpc/server/adapters/standalone',
      'ioredis',
      'kysely',
      'pg',
      'undici',
      'ws',
    ]) {
      expect(report.atStart).not.toContain(name)
    }
  })

  test('loads nothing for a plain call', () => {
    expect(report.status).toBe(200)
    expect(report.afterCall).toEqual(report.atStart)
  })

  test('has keys, feed and introspection without Node’s `fetch`', () => {
    expect(report.hasUndici).toBe(false)
  })

  test('loads tRPC’s adapter with the first stream, and `ws` with the first WebSocket', () => {
    expect(report.afterStream).toContain('@trpc/server/adapters/standalone')
    expect(report.afterStream).not.toContain('ws')
    expect(report.afterSocket).toContain('ws')
  })
})

describe('an agent as it is built', () => {
  let report: Report

  beforeAll(async () => {
    await buildPackages()
    report = await start()
  })

  test('loads a file for each export, and of packages those alone that its author has too', () => {
    expect(report.status).toBe(200)
    expect(report.afterCall).toEqual(['@trpc/server', 'zod'])
    expect(report.ownFiles).toBeLessThanOrEqual(5)
  })

  test('loads what is rare with its first use', () => {
    expect(report.afterStream).toContain('@trpc/server/adapters/standalone')
    expect(report.afterSocket).toContain('ws')
  })
})

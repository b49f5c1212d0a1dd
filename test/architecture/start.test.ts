// What an agent loads before it can be called: each package is time in which a deployment, or an agent that crashed,
// answers nobody (docs/adr/0045).
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import * as z from 'zod'

const Packages = z.array(z.string())
const Report = z.object({
  status: z.number(),
  hasUndici: z.boolean(),
  atStart: Packages,
  afterCall: Packages,
  afterStream: Packages,
  afterSocket: Packages,
})
let report: z.infer<typeof Report>

beforeAll(async () => {
  const main = fileURLToPath(new URL('start-main.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--conditions=@deputy/source',
    main,
  ])
  report = Report.parse(JSON.parse(stdout))
})

test('an agent that can be called has loaded what every call needs, and nothing else', () => {
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

test('a plain call loads nothing', () => {
  expect(report.status).toBe(200)
  expect(report.afterCall).toEqual(report.atStart)
})

test('and keys, feed and introspection are had without Node’s `fetch`', () => {
  expect(report.hasUndici).toBe(false)
})

test('the first stream loads tRPC’s adapter, and the first WebSocket `ws`', () => {
  expect(report.afterStream).toContain('@trpc/server/adapters/standalone')
  expect(report.afterStream).not.toContain('ws')
  expect(report.afterSocket).toContain('ws')
})

// The client: how many tokens it asks for, what it costs beside tRPC's own links, and what a rotation of keys
// and a restart of the authorization server cost its callers.
import { createRunFolder } from '../process/run-folder.ts'
import type { Table } from '../report/table.ts'
import type { Summary } from '../slices/statistics.ts'
import { compareLinks } from './compare-links.ts'
import { countColdRequests } from './count-cold-requests.ts'
import { rotateUnderLoad } from './rotate-under-load.ts'
import { startClientWorld } from './start-client-world.ts'
import { timeTestWorld } from './time-test-world.ts'

export type ClientResults = {
  readonly token_requests_cold_1000: number
  readonly client_vs_batch_link: number
  readonly client_vs_batch_link_on_pool: number
  readonly client_vs_http_link: number
  readonly failed_calls_during_rotation: number
  readonly calls_during_rotation: number
  readonly token_requests_during_rotation: number
  readonly test_world_ms: number
  readonly test_world_later_ms: number
  readonly calls_per_second: Readonly<Record<string, number>>
  readonly spread: Readonly<Record<string, Summary>>
}

export type ClientBenchOptions = {
  readonly slices: number
  readonly log: (line: string) => void
  /** How long calls are made while keys are rotated. Default 60 seconds. */
  readonly rotationSeconds?: number | undefined
}

/** Runs all of it. */
export async function runClientBench(
  options: ClientBenchOptions,
): Promise<{ readonly results: ClientResults; readonly tables: readonly Table[] }> {
  const { log, rotationSeconds = 60, slices } = options
  await using folder = await createRunFolder()
  await using world = await startClientWorld(folder)
  const client = await world.enroll('agent-caller')
  log('1,000 callers without a token')
  const coldRequests = await countColdRequests(world, client, 1000)
  log('links')
  const links = await compareLinks({ world, client, slices, log })
  log(`${String(rotationSeconds)} seconds of calls`)
  const rotation = await rotateUnderLoad({ world, seconds: rotationSeconds, log })
  log('worlds')
  const worlds = await timeTestWorld(Math.max(3, Math.ceil(slices / 3)))
  const { batchLink, batchLinkOnPool, callsPerSecond, httpLink } = links
  const results: ClientResults = {
    token_requests_cold_1000: coldRequests,
    client_vs_batch_link: batchLink.median,
    client_vs_batch_link_on_pool: batchLinkOnPool.median,
    client_vs_http_link: httpLink.median,
    failed_calls_during_rotation: rotation.failed,
    calls_during_rotation: rotation.calls,
    token_requests_during_rotation: rotation.tokenRequests,
    test_world_ms: worlds.first.median,
    test_world_later_ms: worlds.later.median,
    calls_per_second: Object.fromEntries(
      Object.entries(callsPerSecond).map(([name, { median }]) => [name, median]),
    ),
    spread: {
      client_vs_batch_link: batchLink,
      client_vs_batch_link_on_pool: batchLinkOnPool,
      client_vs_http_link: httpLink,
      test_world_ms: worlds.first,
    },
  }
  return { results, tables: toTables(results) }
}

function toTables({ calls_per_second: rates, spread, ...values }: ClientResults): readonly Table[] {
  const rows = Object.entries(values).map(([name, value]) => {
    const found = spread[name]
    const range = found ? `${found.p10.toFixed(2)} to ${found.p90.toFixed(2)}` : ''
    return [name, Number.isInteger(value) ? String(value) : value.toFixed(2), range]
  })
  return [
    [['measure', 'value', 'p10 to p90'], ...rows],
    [
      ['client', 'calls per second'],
      ...Object.entries(rates).map(([name, rate]) => [name, Math.round(rate).toLocaleString('en')]),
    ],
  ]
}

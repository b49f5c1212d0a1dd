import type { Table } from '../report/table.ts'
import type { Memory } from '../ws/servers/memory.ts'
import { findGrowth } from './growth.ts'
import type { Tally } from './open-subscriber.ts'

export type SoakSample = {
  readonly atMs: number
  readonly agent: Memory
  readonly clients: Memory
}

export type SoakTotals = Readonly<Tally> & {
  readonly minutes: number
  readonly sockets: number
  /** Clients that there were in all. */
  readonly clients: number
  readonly tokens: number
}

export type SoakResults = {
  readonly ratios: Readonly<Record<string, number>>
  readonly totals: SoakTotals
  readonly samples: readonly SoakSample[]
  readonly faults: readonly string[]
  /** What there was at the end, and by how much it grew after the beginning. */
  readonly growth: Readonly<Record<string, { readonly last: number; readonly share: number }>>
}

/** What is not counted: code is compiled, and caches that have a bound are filled up to it. */
const WARM_UP_SHARE = 0.4
/** More is growth. Of what the system gives and takes in larger pieces, more is allowed. */
const MOST = { heap: 0.05, rss: 0.1, handles: 0.02 } as const
type Measure = keyof typeof MOST
const READ: Readonly<Record<Measure, (memory: Memory) => number>> = {
  heap: ({ heapBytes }) => heapBytes,
  rss: ({ rssBytes }) => rssBytes,
  handles: ({ handles }) => handles,
}
const MEASURES = ['heap', 'rss', 'handles'] as const

/** Sums the run up. `faults` says what grew, was lost or failed. */
export function toSoakResults(samples: readonly SoakSample[], totals: SoakTotals): SoakResults {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE))
  const growth: Record<string, { last: number; share: number }> = {}
  const faults: string[] = []
  for (const side of ['agent', 'clients'] as const) {
    for (const measure of MEASURES) {
      const read = READ[measure]
      const values = warm.map((sample) => ({ atMs: sample.atMs, value: read(sample[side]) }))
      const share = findGrowth(values)
      growth[`${side}_${measure}`] = { last: values.at(-1)?.value ?? Number.NaN, share }
      if (share > MOST[measure]) {
        faults.push(`${measure} of the ${side} grew by ${(share * 100).toFixed(1)} %`)
      }
    }
  }
  const { errors, events, failedCalls, outOfOrder } = totals
  if (outOfOrder > 0) faults.push(`${String(outOfOrder)} events were lost or repeated`)
  if (failedCalls > 0) faults.push(`${String(failedCalls)} calls failed: ${errors[0] ?? ''}`)
  if (errors.length > failedCalls) faults.push(`subscriptions ended: ${errors[0] ?? ''}`)
  if (events === 0) faults.push('no event came')
  const ratios = Object.fromEntries(
    Object.entries(growth).map(([name, { share }]) => [`soak_${name}_growth`, share]),
  )
  return { ratios, totals, samples, growth, faults }
}

/** What happened, and what grew. */
export function toSoakTables({ growth, totals }: SoakResults): readonly Table[] {
  const count = (value: number): string => value.toLocaleString('en')
  const size = (name: string, value: number): string =>
    name.endsWith('handles') ? count(value) : `${(value / 1024 / 1024).toFixed(1)} MiB`
  const { calls, clients, events, minutes, lost, outOfOrder, sockets, tokens } = totals
  return [
    [
      ['in the soak', 'count'],
      ['minutes', count(minutes)],
      ['sockets open', count(sockets)],
      ['clients in all', count(clients)],
      ['tokens', count(tokens)],
      ['events', count(events)],
      ['events lost or repeated', count(outOfOrder)],
      ['calls', count(calls)],
      ['connections lost', count([...lost.values()].reduce((sum, value) => sum + value, 0))],
      ...[...lost].map(([reason, times]) => [`lost: ${reason}`, count(times)]),
    ],
    [
      ['measure', 'at the end', 'growth'],
      ...Object.entries(growth).map(([name, { last, share }]) => [
        name.replace('_', ' '),
        size(name, last),
        `${(share * 100).toFixed(1)} %`,
      ]),
    ],
  ]
}

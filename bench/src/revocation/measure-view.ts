import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import {
  createRevocationView,
  type Principal,
  type RevocationView,
} from '../../../packages/auth/src/index.ts'
import { systemClock, type RevokedEntry } from '../../../packages/auth/src/protocol/index.ts'
import { findQuantile } from '../slices/statistics.ts'

const ENTRIES = 1_000_000
const CHECKS = 100_000
const SLICES = 25

export type ViewCost = {
  /** A check of a path of six ids, none of them denied: the median of the slices. */
  readonly checkUs: number
  readonly bytesPerEntry: number
}

/** Fills a view with a million entries, and checks what is not among them. */
export function measureView(): ViewCost {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  if (typeof collect !== 'function') throw new Error('there is no garbage collection on request')
  const usedBytes = (): number => {
    // Twice: what only finalizers held goes with the second.
    collect()
    collect()
    return process.memoryUsage().heapUsed
  }
  const before = usedBytes()
  const view = createRevocationView({ clock: systemClock, maxEntries: ENTRIES })
  fill(view)
  view.heard()
  const bytesPerEntry = (usedBytes() - before) / ENTRIES
  const principal = toPrincipal()
  const slices = Array.from({ length: SLICES }, () => {
    const startedMs = performance.now()
    for (let check = 0; check < CHECKS; check += 1) {
      if (view.isDenied(principal)) throw new Error('nothing of this path was denied')
    }
    return ((performance.now() - startedMs) * 1000) / CHECKS
  })
  if (view.size !== ENTRIES) throw new Error(`the view has ${String(view.size)} entries`)
  return { checkUs: findQuantile(slices, 0.5), bytesPerEntry }
}

function fill(view: RevocationView): void {
  const expiresAt = systemClock.now() + 900
  for (let made = 0; made < ENTRIES; made += 1000) {
    const ids = Array.from({ length: 1000 }, () => crypto.randomUUID())
    // As they come from the feed: read from JSON, where `randomUUID` gives ropes that take more.
    const read: unknown = JSON.parse(JSON.stringify(ids))
    if (!Array.isArray(read)) throw new TypeError('a list was written')
    view.apply(read.map((id): RevokedEntry => ({ kind: 'grant', id: String(id), expiresAt })))
  }
}

function toPrincipal(): Principal {
  const grantPath = Array.from({ length: 6 }, () => crypto.randomUUID())
  return {
    agentId: 'agent-a',
    subject: 'agent-a',
    audience: 'agent-b',
    scopes: [],
    priorActors: [],
    expiresAt: undefined,
    grantPath,
    limits: [],
    credential: { kind: 'access_token', id: grantPath[5] ?? '' },
  }
}

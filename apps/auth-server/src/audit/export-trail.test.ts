import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createTimedClock } from '../../../../test/support/settable-clock.ts'
import { recordEach } from '../../test-support/audit.ts'
import { EVERY_OWNER } from '../owners/tenancy.ts'
import { openStorage } from '../storage/open-storage.ts'
import type { AuditSelection } from './audit-trail.ts'
import { exportTrail, verifyExport } from './export-trail.ts'

const EVERYTHING: AuditSelection = { within: EVERY_OWNER, filter: {} }

test('exports what a pruning of a moment ago has left', async () => {
  // The ids that are missing could be of entries that are yet to be committed: for half a minute nobody can say.
  const clock = createTimedClock()
  await using storage = await openStorage({ file: ':memory:' }, clock)
  await recordEach(storage.audit, [{}, {}, {}])
  clock.advance(100)
  await recordEach(storage.audit, [{}, {}])
  await storage.audit.prune({ beforeAt: clock.now() })

  const lines: string[] = []
  async function exportAll(): Promise<void> {
    for await (const line of exportTrail(storage.audit, EVERYTHING, clock)) lines.push(line)
  }
  const exporting = exportAll()
  const progress = { isOver: false }
  void exporting.finally(() => (progress.isOver = true))
  while (!progress.isOver) {
    clock.advance(1)
    await setImmediate()
  }

  // The two, and the one that signs off the others.
  await exporting
  expect(await verifyExport(lines)).toMatchObject({ ok: true, value: { entries: 3 } })
})

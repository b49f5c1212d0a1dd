// Billing on a database of the torture, as a process of its own, so that it can be killed: the service behind the guard
// and over HTTP as the agent has it, with callers that need no issuer.
import { systemClock } from '@deputy/auth/protocol'
import { createBillingRouter } from '@deputy/contracts/billing'
import { createLogger, serveAgent, startPruning } from '@deputy/serve'
import { openDatabase } from '@deputy/storage'
import * as z from 'zod'
import { createBillingService } from '../../src/billing-service.ts'
import { expireHolds } from '../../src/holds/expire-holds.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { migrations } from '../../src/storage/migrations.ts'
import type { Tables } from '../../src/storage/tables.ts'
import { receiptFor } from '../billing-world.ts'
import { createFakeAuthenticator } from '../fake-authenticator.ts'
import { createPlayers, toCallers } from './cast.ts'

const Settings = z
  .object({
    TORTURE_FILE: z.string().optional(),
    TORTURE_URL: z.string().optional(),
    TORTURE_AGENTS: z.coerce.number().int(),
    /** How far its clock is ahead: holds of before expire. */
    TORTURE_AHEAD_SECONDS: z.coerce.number().int(),
  })
  .parse(process.env)

const { TORTURE_AHEAD_SECONDS: ahead, TORTURE_FILE: file = '', TORTURE_URL: url } = Settings
const location = url === undefined ? { file } : { url }
const clock = { ...systemClock, now: () => systemClock.now() + ahead }
const logger = createLogger({ name: 'torture', level: 'error' })
const storage = await openStorage(location)
const evidence = await openDatabase<Tables>({ ...location, migrations })

const service = createBillingService({
  storage,
  clock,
  // What the agent that did the work would say: what was captured.
  async receipts(reference) {
    const call = { from: 'a', to: 'b', procedure: 'c', scopes: [], outcome: 'ok', durationMs: 0 }
    const hold = await evidence.db
      .selectFrom('hold')
      .select(['id', 'captured_minor'])
      .where('reference', '=', reference)
      .executeTakeFirstOrThrow()
    const captured = { holdId: hold.id, reference, capturedMinor: hold.captured_minor }
    return { ok: true, receipt: receiptFor(captured), call }
  },
})

startPruning({ prune: async () => expireHolds(storage, clock), logger, everyMs: 250 })
const agent = await serveAgent({
  agentId: 'agent-billing-v2',
  router: createBillingRouter(service),
  authenticator: createFakeAuthenticator(toCallers(createPlayers(Settings.TORTURE_AGENTS))),
  issuer: 'https://issuer.example',
  port: 0,
  rateLimitTiers: { standard: null },
  logger,
})
process.on('disconnect', () => process.exit(0))
process.send?.({ url: agent.url })

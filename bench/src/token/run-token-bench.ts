// Issuance: whole requests to the token endpoint, client credentials by Basic, for ES256 JWTs.
import { startLoadGenerator } from '../load/load-generator.ts'
import { createRunFolder } from '../process/run-folder.ts'
import { runSlices, type Target } from '../slices/run-slices.ts'
import { checkAudit } from './check-audit.ts'
import { checkContestant } from './check-contestant.ts'
import { checkToken } from './check-token.ts'
import { toRequest, type Contestant } from './contestant.ts'
import { openSeededStore } from './seeded-store.ts'
import { startDeputy, startOther } from './servers/start-contestants.ts'
import { toTokenResults, type TokenResults } from './token-results.ts'

export type TokenBenchOptions = {
  /** How many times each server is measured. */
  readonly slices: number
  /** Agents in the smaller and in the larger store. */
  readonly agents: number
  readonly manyAgents: number
  readonly connections: number
  readonly log: (line: string) => void
}

/** Runs all servers in turn. Rejects when one of them does not do what it is measured for. */
export async function runTokenBench(options: TokenBenchOptions): Promise<TokenResults> {
  const { agents, connections, log, manyAgents, slices } = options
  await using folder = await createRunFolder()
  const small = await openSeededStore({ agents, copyTo: folder.file('small.sqlite'), log })
  const large = await openSeededStore({
    agents: manyAgents,
    copyTo: folder.file('large.sqlite'),
    log,
  })
  const measured = await measure()
  for (const { answeredInAll, name } of measured) {
    if (name === 'deputy') await checkAudit(small.databaseFile, answeredInAll)
    if (name === 'deputy-1m') await checkAudit(large.databaseFile, answeredInAll)
  }
  return toTokenResults(measured)

  async function measure() {
    await using running = new AsyncDisposableStack()
    const start = async (contestant: Promise<Contestant>): Promise<Target> =>
      toTarget(running.use(await contestant))
    const { credentialsFile } = small
    const targets = [
      await start(startDeputy({ name: 'deputy', folder, store: small })),
      await start(startDeputy({ name: 'deputy-1m', folder, store: large })),
      await start(startOther({ name: 'oidc-provider', folder, credentialsFile })),
      await start(startOther({ name: 'node-oauth', folder, credentialsFile })),
      await start(startOther({ name: 'bare', folder, credentialsFile })),
    ]
    const generator = running.use(startLoadGenerator())
    return await runSlices({ generator, targets, slices, connections, log })
  }
}

async function toTarget(contestant: Contestant): Promise<Target> {
  const { jwks } = await checkContestant(contestant)
  const { credentialsFile: linesFile, name, port } = contestant
  return {
    name,
    plan: { port, linesFile, ...toRequest(contestant) },
    checkSample: (body) => checkToken({ body, jwks }),
  }
}

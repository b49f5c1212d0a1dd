// Exchange beside plain issuance, in turn, at the same server over the same connections.
import { summarizeRatio, type Summary } from '../slices/statistics.ts'
import type { BenchWorld } from './start-world.ts'

const CONNECTIONS = 16
const SLICE_MS = 500

/** How many tokens by exchange, for each by client credentials. */
export async function measureExchange(world: BenchWorld, slices: number): Promise<Summary> {
  const [target] = world.agents
  if (target === undefined) throw new Error('there is no agent to get tokens for')
  const { caller, helper } = world
  const subject = await world.token(caller, { audience: helper.id })
  const exchange = async (): Promise<string> =>
    world.token(helper, {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: subject,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: target.id,
    })
  const issue = async (): Promise<string> => world.token(caller, { audience: target.id })
  await countIn(exchange)
  await countIn(issue)
  const exchanged: number[] = []
  const issued: number[] = []
  for (let slice = 0; slice < slices; slice += 1) {
    // Either goes first as often.
    if (slice % 2 === 0) exchanged.push(await countIn(exchange))
    issued.push(await countIn(issue))
    if (slice % 2 === 1) exchanged.push(await countIn(exchange))
  }
  return summarizeRatio(exchanged, issued)
}

/** How many of them are done in one slice of time. */
async function countIn(work: () => Promise<unknown>): Promise<number> {
  const untilMs = performance.now() + SLICE_MS
  let done = 0
  const go = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      await work()
      done += 1
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, go))
  return done
}

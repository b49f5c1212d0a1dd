import { clientSecret, createAgentClient } from '../../../packages/client/src/index.ts'
import type { BenchRouter } from './agent-main.ts'
import { AGENT_ID, SCOPE, type Client, type ClientWorld } from './start-client-world.ts'

/** How many token requests so many callers make that call at once, none of whom has a token. */
export async function countColdRequests(
  world: ClientWorld,
  client: Client,
  callers: number,
): Promise<number> {
  let requests = 0
  const counting: typeof fetch = async (input, init) => {
    if (init?.method === 'POST') requests += 1
    return fetch(input, init)
  }
  const credentials = clientSecret({ issuer: world.issuer, ...client, fetch: counting })
  await using agent = createAgentClient<BenchRouter>({
    url: world.agentUrl,
    audience: AGENT_ID,
    scopes: [SCOPE],
    credentials,
  })
  await Promise.all(
    Array.from({ length: callers }, async (_, at) => agent.echo.query({ text: String(at) })),
  )
  return requests
}

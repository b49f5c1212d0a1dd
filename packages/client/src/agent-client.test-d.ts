// What a caller's compiler knows of an agent. Compiled, never run.
import { expectTypeOf } from 'vitest'
import type { TestRouter } from '../../../test/support/test-agent.ts'
import { createAgentClient, type Credentials } from './index.ts'

declare const credentials: Credentials

const client = createAgentClient<TestRouter>({
  url: 'https://billing.example',
  credentials,
  audience: 'agent-billing-v2',
  scopes: ['billing:read'],
})

expectTypeOf(client.echo.query).returns.resolves.toEqualTypeOf<string>()
expectTypeOf(client.echo.query).parameter(0).toEqualTypeOf<{ text: string }>()
expectTypeOf(client.pay.mutate).returns.resolves.toEqualTypeOf<{ paidMinor: number }>()
expectTypeOf(client.whoAmI.query).returns.resolves.toHaveProperty('agentId').toBeString()

// @ts-expect-error -- a field of the wrong type
void client.echo.query({ text: 1 })
// @ts-expect-error -- a procedure that there is not
void client.nothing.query()
// @ts-expect-error -- a mutation is not a query
void client.pay.query({ amountMinor: 1 })
// @ts-expect-error -- nobody calls without credentials
createAgentClient<TestRouter>({ url: 'https://x.example', audience: 'x', scopes: [] })
// whom, the agent can say itself
createAgentClient<TestRouter>({ url: 'https://x.example', credentials })

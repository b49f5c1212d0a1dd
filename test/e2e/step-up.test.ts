// A handler that finds out in the middle of its work that it needs another scope, and a client that may ask for it: what
// had begun is begun again only where that does no harm.
import { agentRouter, requireScope, scopedProcedure } from '@deputy/auth/trpc'
import { createAgentClient } from '@deputy/client'
import { createTestWorld, refusal } from '@deputy/testing'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

const Payment = z.object({ amountMinor: z.int(), idempotencyKey: z.string().optional() })

const createLedgerRouter = (begun: unknown[]) =>
  agentRouter({
    pay: scopedProcedure('ledger:write')
      .input(Payment)
      .mutation(({ ctx, input }) => {
        begun.push(input)
        if (input.amountMinor > 1000) requireScope(ctx.principal, 'ledger:large')
        return 'paid'
      }),
    preview: scopedProcedure('ledger:write')
      .input(Payment)
      .query(({ ctx, input }) => {
        begun.push(input)
        if (input.amountMinor > 1000) requireScope(ctx.principal, 'ledger:large')
        return 'would be paid'
      }),
  })
type LedgerRouter = ReturnType<typeof createLedgerRouter>

async function createWorld(transport: 'http' | 'websocket') {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  const begun: unknown[] = []
  const agent = await world.agent('agent-ledger', {
    router: createLedgerRouter(begun),
    // What a handler finds out is in no procedure.
    scopesSupported: ['ledger:write', 'ledger:large'],
  })
  const alice = await world.caller('agent-alice', {
    scopes: ['ledger:write', 'ledger:large'],
    audiences: [agent.id],
  })
  const client = stack.use(
    createAgentClient<LedgerRouter>({
      url: agent.url,
      audience: agent.id,
      scopes: ['ledger:write'],
      credentials: alice.credentials(),
      stepUp: ['ledger:large'],
      transport,
      fetch: alice.fetch,
      WebSocket: alice.WebSocket,
      clock: alice.clock,
    }),
  )
  const resources = stack.move()
  return { begun, client, [Symbol.asyncDispose]: async () => resources.disposeAsync() }
}

describe.each(['http', 'websocket'] as const)('over %s', (transport) => {
  test('a mutation is not carried out twice: its caller is told what is missing, and that it had begun', async () => {
    // Attack: an agent that moves money, asks for another scope, and has the same call sent again.
    await using world = await createWorld(transport)

    const told = await refusal(world.client.pay.mutate({ amountMinor: 2000 }))

    expect(told).toMatchObject({
      code: 'scope_missing',
      requiredScopes: ['ledger:large'],
      grantedScopes: ['ledger:write'],
      mayBeDone: true,
    })
    expect(world.begun).toHaveLength(1)
  })

  test('one with an idempotency key is sent again with the scope, and so is a query', async () => {
    await using world = await createWorld(transport)
    const keyed = { amountMinor: 2000, idempotencyKey: 'pay-1' }

    expect(await world.client.pay.mutate(keyed)).toBe('paid')
    expect(world.begun).toEqual([keyed, keyed])
    expect(await world.client.preview.query({ amountMinor: 2000 })).toBe('would be paid')
  })
})

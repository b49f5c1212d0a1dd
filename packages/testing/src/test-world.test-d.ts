// What the compiler says to the author of a test.
import { agentRouter, scopedProcedure } from '@deputy/auth/trpc'
import { expectTypeOf } from 'vitest'
import * as z from 'zod'
import { createTestWorld, refusal, type Callable } from './index.ts'

const router = agentRouter({
  balance: scopedProcedure('ledger:read').query(() => ({ minor: 1 })),
  pay: scopedProcedure('ledger:write')
    .input(z.object({ amountMinor: z.int() }))
    .mutation(({ input }) => input.amountMinor),
})

await using world = await createTestWorld()
const ledger = await world.agent('agent-ledger-v1', { router })
const alice = await world.caller('agent-alice-v1', { scopes: [], audiences: [ledger.id] })
const client = alice.client(ledger)

// A client is typed by the router of the agent that it was made for.
expectTypeOf(client.balance.query).returns.resolves.toEqualTypeOf<{ minor: number }>()
expectTypeOf(client.pay.mutate).parameter(0).toEqualTypeOf<{ amountMinor: number }>()
// @ts-expect-error -- there is no such procedure
void client.withdraw
// @ts-expect-error -- an amount is a number
void client.pay.mutate({ amountMinor: 'much' })

// So is one that acts for a caller; its scopes have to be said.
const token = await alice.token(ledger)
expectTypeOf(alice.actFor(token).client(ledger, { scopes: [] }).balance.query).toBeFunction()
// @ts-expect-error -- which scopes?
alice.actFor(token).client(ledger, {})

// A router may be made with the agent itself, and keeps its type.
const clerk = await world.agent('agent-clerk-v1', {
  router: (self) => {
    expectTypeOf(self.id).toBeString()
    return router
  },
})
expectTypeOf(clerk).toExtend<Callable<typeof router>>()

// Only what stands for authority can be revoked.
await world.revoke(token)
// @ts-expect-error -- text stands for nothing
await world.revoke('agent-alice-v1')

expectTypeOf(refusal).returns.resolves.toHaveProperty('requiredScopes')

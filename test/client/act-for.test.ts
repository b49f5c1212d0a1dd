// Delegation in one line, as a handler writes it, between real agents: Alice asks the clerk, who reads the
// ledger in her name.
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { createActFor, provideActFor, toClientError, type ActFor } from '@deputy/client'
import { createTestWorld, type Caller } from '@deputy/testing'
import { expect, test } from 'vitest'

const createLedgerRouter = () =>
  agentRouter({
    balance: scopedProcedure('ledger:read').query(({ ctx: { principal } }) => ({
      of: principal.subject,
      by: principal.agentId,
      scopes: principal.scopes,
    })),
    pay: scopedProcedure('ledger:write').mutation(({ ctx: { principal } }) => principal.scopes),
  })
const ledger = createAgentContract('agent-ledger-v1', createLedgerRouter)

function createClerkRouter(actFor: ActFor) {
  const procedure = scopedProcedure('clerk:use').use(provideActFor(actFor))
  return agentRouter({
    balance: procedure.query(async ({ ctx }) =>
      ctx
        .actFor(ctx.principal)
        .client(ledger, { scopes: ['ledger:read'] })
        .balance.query(),
    ),
    // Without scopes each call is made with exactly those of its procedure.
    both: procedure.query(async ({ ctx }) => {
      const client = ctx.actFor(ctx.principal).client(ledger)
      return [(await client.balance.query()).scopes, await client.pay.mutate()]
    }),
    forSomebodyElse: procedure.query(async ({ ctx }) => {
      const stranger = { ...ctx.principal, subject: 'agent-mallory-v1' }
      return ctx.actFor(stranger).client(ledger).balance.query()
    }),
    tooMuch: procedure.query(async ({ ctx }) => {
      const client = ctx.actFor(ctx.principal).client(ledger, { scopes: ['ledger:read'] })
      // @ts-expect-error -- it needs ledger:write, which was not asked for
      return client.pay.mutate()
    }),
  })
}

async function startWorld() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  const { id, url } = await world.agent(ledger.agentId, { router: createLedgerRouter() })
  const reach = ['ledger:read', 'ledger:write']
  const clerk = await world.agent('agent-clerk-v1', {
    router: (self: Caller) => {
      let actFor: ActFor | undefined
      return createClerkRouter((caller) => {
        actFor ??= createActFor({
          actor: self.credentials(),
          agents: { [id]: url },
          fetch: self.fetch,
        })
        return actFor(caller)
      })
    },
    scopes: reach,
    audiences: [id],
    delegation: { to: [id], maxDepth: 1 },
  })
  const alice = await world.caller('agent-alice-v1', {
    scopes: ['clerk:use', ...reach],
    audiences: [clerk.id],
    delegation: { to: [clerk.id], maxDepth: 2 },
  })
  const client = alice.client(clerk, { scopes: ['clerk:use', ...reach] })
  const resources = stack.move()
  return {
    world,
    client,
    clerk,
    alice,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

test('a handler calls another agent in the name of whoever called it, with the scopes it named', async () => {
  await using harness = await startWorld()

  expect(await harness.client.balance.query()).toEqual({
    of: 'agent-alice-v1',
    by: 'agent-clerk-v1',
    scopes: ['ledger:read'],
  })
})

test('without named scopes each call has exactly what its procedure needs', async () => {
  await using harness = await startWorld()

  expect(await harness.client.both.query()).toEqual([['ledger:read'], ['ledger:write']])
})

test('nobody acts for another one than whoever called', async () => {
  // Attack: a handler is talked into acting for a principal that it read somewhere.
  await using harness = await startWorld()
  harness.world.expectErrors(/for nobody else/)

  const error = await harness.client.forSomebodyElse.query().catch(toClientError)

  expect(error).toMatchObject({ code: 'internal_error' })
})

test('what does not compile is refused by the ledger too', async () => {
  await using harness = await startWorld()

  const error = await harness.client.tooMuch.query().catch(toClientError)

  expect(error).toMatchObject({
    code: 'scope_missing_further_on',
    message: 'agent-clerk-v1 lacks ledger:write at agent-ledger-v1, which this call needs',
  })
})

test('what the caller did not hand on is not to be had', async () => {
  await using harness = await startWorld()
  const client = harness.alice.client(harness.clerk, { scopes: ['clerk:use'] })

  const error = await client.balance.query().catch(toClientError)

  expect(error).toMatchObject({
    code: 'scope_missing_further_on',
    message: 'agent-clerk-v1 lacks ledger:read at agent-ledger-v1, which this call needs',
  })
})

// Alice asks Bob, who asks Carol, who asks Dave. One of them lacks a scope: Alice is told who, which one and where, and
// nothing else of what was said further on.
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { createAgentClient } from '@deputy/client'
import { createTestWorld, refusal, type Caller } from '@deputy/testing'
import { describe, expect, test } from 'vitest'

const ALICE = 'agent-alice'
const BOB = 'agent-bob'
const CAROL = 'agent-carol'
const DAVE = 'agent-dave'

const createDaveRouter = () =>
  agentRouter({
    read: scopedProcedure('dave:read').query(() => 'read'),
    pay: scopedProcedure('dave:pay').mutation(() => 'paid'),
  })

/** Carol asks Dave in her own name, with a token that lets her read. */
const createCarolRouter = (askDave: () => Promise<string>, begun: () => void) =>
  agentRouter({
    read: scopedProcedure('carol:read').query(() => 'read'),
    note: scopedProcedure('carol:note').query(() => 'noted'),
    pay: scopedProcedure('carol:read').mutation(async () => {
      begun()
      return askDave()
    }),
  })
type CarolRouter = ReturnType<typeof createCarolRouter>
const carol = createAgentContract(CAROL, () =>
  createCarolRouter(
    async () => '',
    () => undefined,
  ),
)

/** Bob asks Carol in his own name, or in his caller's. */
const createBobRouter = (
  self: Caller,
  carolAgent: { readonly id: string; readonly url: string },
) => {
  const own = self.client<CarolRouter>(carolAgent, { scopes: ['carol:read'] })
  const actFor = self.createActFor([carolAgent])
  return agentRouter({
    note: scopedProcedure('bob:ask').query(async () => own.note.query()),
    noteForCaller: scopedProcedure('bob:ask').query(async ({ ctx }) =>
      actFor(ctx).client(carol).note.query(),
    ),
    pay: scopedProcedure('bob:ask').mutation(async () => own.pay.mutate()),
    notes: scopedProcedure('bob:ask').subscription(async function* notes() {
      yield 'begun'
      yield await own.note.query()
    }),
  })
}

async function createWorld() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  let begun = 0
  const daveAgent = await world.agent(DAVE, { router: createDaveRouter() })
  const carolAgent = await world.agent(CAROL, {
    router: (self) => {
      const dave = self.client(daveAgent, { scopes: ['dave:read'] })
      return createCarolRouter(
        async () => dave.pay.mutate(),
        () => {
          begun += 1
        },
      )
    },
    scopes: ['dave:read'],
    audiences: [DAVE],
  })
  const bobAgent = await world.agent(BOB, {
    router: (self) => createBobRouter(self, carolAgent),
    scopes: ['carol:read', 'carol:note'],
    audiences: [CAROL],
    delegation: { to: [CAROL], maxDepth: 1 },
  })
  const alice = await world.caller(ALICE, {
    scopes: ['bob:ask', 'carol:read', 'carol:note', 'dave:pay'],
    audiences: [BOB],
    delegation: { to: [BOB], maxDepth: 2 },
  })
  const resources = stack.move()
  return {
    world,
    alice,
    bobAgent,
    bob: alice.client(bobAgent, { scopes: ['bob:ask'] }),
    countBegun: () => begun,
    [Symbol.asyncDispose]: async () => resources.disposeAsync(),
  }
}

/** What Alice is told where Bob lacks the scope to have Carol note something. */
const BOB_LACKS_NOTE = {
  code: 'scope_missing_further_on',
  status: 403,
  message: `${BOB} lacks carol:note at ${CAROL}, which this call needs`,
  agentId: BOB,
  requiredScopes: ['carol:note'],
  grantedScopes: [],
  furtherOn: { agentId: BOB, calledAgentId: CAROL },
}

describe('a scope that is missing further on', () => {
  test('is told to the first caller: which agent lacks it, and where', async () => {
    await using world = await createWorld()

    expect(await refusal(world.bob.note.query())).toMatchObject(BOB_LACKS_NOTE)
  })

  test('is told the same where the authorization server already refused it to the agent', async () => {
    await using world = await createWorld()

    // Alice's token at Bob has `bob:ask` alone: there is nothing in it that Bob could be given for Carol.
    expect(await refusal(world.bob.noteForCaller.query())).toMatchObject(BOB_LACKS_NOTE)
  })

  test('keeps its agents however far the call came: the one in the middle does not take the blame', async () => {
    await using world = await createWorld()

    expect(await refusal(world.bob.pay.mutate())).toMatchObject({
      code: 'scope_missing_further_on',
      message: `${CAROL} lacks dave:pay at ${DAVE}, which this call needs`,
      furtherOn: { agentId: CAROL, calledAgentId: DAVE },
      // Carol had begun when Dave refused.
      mayBeDone: true,
    })
    expect(world.countBegun()).toBe(1)
  })

  test('ends a subscription with it', async () => {
    await using world = await createWorld()
    const ended = Promise.withResolvers<unknown>()

    world.bob.notes.subscribe(undefined, { onError: ended.resolve })

    expect(await ended.promise).toMatchObject(BOB_LACKS_NOTE)
  })

  test('is not asked for by the first caller, who may have it: its own token is not at fault', async () => {
    // Attack: an agent that collects its callers' tokens with scopes for others.
    await using world = await createWorld()
    const { alice, bobAgent } = world
    await using bob = createAgentClient<ReturnType<typeof createBobRouter>>({
      url: bobAgent.url,
      audience: bobAgent.id,
      scopes: ['bob:ask'],
      credentials: alice.credentials(),
      stepUp: () => true,
      fetch: alice.fetch,
      clock: alice.clock,
    })

    const told = await refusal(bob.pay.mutate())

    expect(told.code).toBe('scope_missing_further_on')
    const asked = world.world.requests.filter(
      ({ from, path }) => from === ALICE && path === '/oauth/token',
    )
    expect(asked).toHaveLength(1)
    expect(world.countBegun()).toBe(1)
  })
})

// Alice asks Bob, who has to pay at Carol's to answer her. Carol's `pay` takes approved calls only: so Alice
// waits, until an operator has looked at what Bob is about to pay in her name.
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { toClientError, type ActFor } from '@deputy/client'
import { createTestWorld } from '@deputy/testing'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

const ALICE = 'agent-alice'
const BOB = 'agent-bob'
const CAROL = 'agent-carol'

type Pay = (input: { readonly to: string; readonly amountMinor: number }) => void

const createCarolRouter = (pay: Pay) =>
  agentRouter({
    pay: scopedProcedure({ scopes: ['carol:pay'], approval: true })
      .input(z.object({ to: z.string(), amountMinor: z.int() }))
      .mutation(({ input }) => {
        pay(input)
        return 'paid'
      }),
  })
const carol = createAgentContract(CAROL, createCarolRouter)

const createBobRouter = (actFor: ActFor) =>
  agentRouter({
    report: scopedProcedure('bob:report')
      .input(z.object({ amountMinor: z.int() }))
      .mutation(async ({ ctx, input }) => {
        const paid = await actFor(ctx)
          .client(carol)
          .pay.mutate({ to: 'data', amountMinor: input.amountMinor })
        return `the data was ${paid}, here is the report`
      }),
  })

async function createWorld() {
  await using stack = new AsyncDisposableStack()
  const world = stack.use(await createTestWorld())
  const payments: Parameters<Pay>[0][] = []
  const carolAgent = await world.agent(CAROL, {
    router: createCarolRouter((input) => void payments.push(input)),
  })
  const bobAgent = await world.agent(BOB, {
    router: (self) => createBobRouter(self.createActFor([carolAgent])),
    scopes: ['carol:pay'],
    audiences: [CAROL],
    delegation: { to: [CAROL], maxDepth: 1 },
  })
  const scopes = ['bob:report', 'carol:pay']
  const alice = await world.caller(ALICE, {
    scopes,
    audiences: [BOB],
    delegation: { to: [BOB], maxDepth: 2 },
  })
  const bob = alice.client(bobAgent, { scopes })
  const { admin } = world
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { admin, bob, payments, [Symbol.asyncDispose]: dispose }
}

type World = Awaited<ReturnType<typeof createWorld>>

/** What Alice is told. */
async function ask({ bob }: Pick<World, 'bob'>, amountMinor: number) {
  return bob.report.mutate({ amountMinor }).then(
    (answer) => ({ answer, code: 'answered', approvalId: undefined }),
    (thrown: unknown) => {
      const { approvalId, code } = toClientError(thrown)
      return { answer: undefined, code, approvalId }
    },
  )
}

describe('a call that needs an approval two agents further on', () => {
  test('waits at its beginning: whoever asked asks again, and nothing was paid meanwhile', async () => {
    await using world = await createWorld()

    const first = await ask(world, 500)
    const second = await ask(world, 500)

    expect(first).toMatchObject({ code: 'approval_pending' })
    expect(second).toEqual(first)
    expect(world.payments).toEqual([])
    expect((await world.admin.approvals.list.query()).approvals).toMatchObject([
      {
        id: first.approvalId,
        agentId: BOB,
        subjectId: ALICE,
        actors: [BOB],
        audience: CAROL,
        procedure: 'pay',
        input: { to: 'data', amountMinor: 500 },
      },
    ])
  })

  test('goes on once it is approved, for that call and once', async () => {
    await using world = await createWorld()
    const { approvalId = '' } = await ask(world, 500)
    const { inputSha256 } = await world.admin.approvals.get.query({ approvalId })
    await world.admin.approvals.approve.mutate({ approvalId, inputSha256 })

    const other = await ask(world, 501)
    const approved = await ask(world, 500)
    const again = await ask(world, 500)

    expect(approved.answer).toBe('the data was paid, here is the report')
    expect(world.payments).toEqual([{ to: 'data', amountMinor: 500 }])
    expect([other.code, again.code]).toEqual(['approval_pending', 'approval_pending'])
    expect(new Set([approvalId, other.approvalId, again.approvalId]).size).toBe(3)
  })

  test('ends where it is denied, and whoever asked is told so', async () => {
    await using world = await createWorld()
    const { approvalId = '' } = await ask(world, 500)
    await world.admin.approvals.deny.mutate({ approvalId, note: 'too expensive' })

    expect(await ask(world, 500)).toMatchObject({ code: 'approval_denied', approvalId })
    expect(world.payments).toEqual([])
  })
})

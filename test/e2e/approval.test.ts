// Alice asks Bob, who has to pay at Carol's to answer her. Carol's `pay` takes approved calls only: so Alice
// waits, until an operator has looked at what Bob is about to pay in her name.
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { createAgentClient, toClientError, type ActFor } from '@deputy/client'
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
      .input(
        z.object({
          to: z.string(),
          amountMinor: z.int(),
          idempotencyKey: z.string().optional(),
        }),
      )
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
  const direct = await world.caller('agent-direct', { scopes: ['carol:pay'], audiences: [CAROL] })
  const { admin } = world
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { admin, bob, carolAgent, direct, payments, world, [Symbol.asyncDispose]: dispose }
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

describe('an approved call that gets lost on the way', () => {
  const INPUT = { to: 'data', amountMinor: 500, idempotencyKey: 'rent-of-may' }

  /** Makes the call. What says that it has to be approved comes back; of the two after that nothing does. */
  function pay({ carolAgent, direct }: World, approvals: 'ask' | 'wait', isCarriedOut: boolean) {
    let sent = 0
    const loseTwo = async (...request: Parameters<typeof fetch>): Promise<Response> => {
      sent += 1
      if (sent !== 2 && sent !== 3) return direct.fetch(...request)
      if (isCarriedOut) await direct.fetch(...request)
      return new Response('', { status: 502 })
    }
    const client = createAgentClient<ReturnType<typeof createCarolRouter>>({
      url: carolAgent.url,
      audience: CAROL,
      scopes: ['carol:pay'],
      credentials: direct.credentials(),
      clock: direct.clock,
      fetch: loseTwo,
      approvals,
    })
    return client.pay.mutate(INPUT)
  }

  /** Approves the call once it was asked for. */
  async function approve({ admin }: World): Promise<void> {
    for (;;) {
      const { approvals } = await admin.approvals.list.query()
      const [asked] = approvals
      if (asked === undefined) continue
      const { id: approvalId, inputSha256 } = asked
      await admin.approvals.approve.mutate({ approvalId, inputSha256 })
      return
    }
  }

  const countAsked = async ({ admin }: World): Promise<number> =>
    (await admin.approvals.list.query({ isPending: false })).approvals.length

  test('is sent again under its approval, and nobody is asked twice', async () => {
    await using made = await createWorld()
    const paid = pay(made, 'wait', false)
    await approve(made)

    expect(await made.world.whileTimePasses(paid)).toBe('paid')
    expect(made.payments).toHaveLength(1)
    expect(await countAsked(made)).toBe(1)
  })

  test('also where it was approved before the call was made', async () => {
    // The token comes with the first request then, and nothing but the token says which approval it is of.
    await using made = await createWorld()
    const first = pay(made, 'ask', false).catch(toClientError)
    expect(await made.world.whileTimePasses(first)).toMatchObject({ code: 'approval_pending' })
    await approve(made)

    expect(await made.world.whileTimePasses(pay(made, 'ask', false))).toBe('paid')
    expect(made.payments).toHaveLength(1)
    expect(await countAsked(made)).toBe(1)
  })

  test('is carried out once, and who does not hear of it is told that it may have been', async () => {
    await using made = await createWorld()
    const paid = pay(made, 'wait', true).catch(toClientError)
    await approve(made)

    expect(await made.world.whileTimePasses(paid)).toMatchObject({
      code: 'approval_used',
      mayBeDone: true,
      hint: expect.stringContaining('the same idempotency key') as string,
    })
    expect(made.payments).toHaveLength(1)
    expect(await countAsked(made)).toBe(1)
  })
})

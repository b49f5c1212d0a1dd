// Alice asks Bob, who has to pay at Carol's to answer her. Carol's `pay` takes approved calls only: so Alice
// waits, until an operator has looked at what Bob is about to pay in her name.
import { createIssuerAuthenticator, createLocalReplayMemory } from '@deputy/auth'
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { createAuthServer, type AdminRouter } from '@deputy/auth-server'
import { clientSecret, createActFor, createAgentClient, toClientError } from '@deputy/client'
import { readCredentialsFile } from '@deputy/client/node'
import { createLogger, serveAgent } from '@deputy/serve'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { findFreePort } from '../support/find-free-port.ts'
import { createSettableClock } from '../support/settable-clock.ts'
import { createTemporaryFolder } from '../support/temporary-folder.ts'

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

const createBobRouter = (actFor: ReturnType<typeof createActFor>) =>
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
type BobRouter = ReturnType<typeof createBobRouter>

async function startWorld() {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await createTemporaryFolder())
  const clock = createSettableClock()
  const lines: string[] = []
  const logger = createLogger({ name: 'world', level: 'trace', write: (line) => lines.push(line) })
  const port = await findFreePort()
  const issuer = `http://127.0.0.1:${String(port)}`
  const operatorFile = folder.file('operator.json')
  const database = { file: folder.file('auth.sqlite') }
  stack.use(await createAuthServer({ issuer, port, database, operatorFile, clock, logger }))
  const { client_secret: operatorSecret } = readCredentialsFile(operatorFile)
  const identify = (clientId: string, secret: string) =>
    clientSecret({ issuer, clientId, clientSecret: secret, clock })
  const admin = stack.use(
    createAgentClient<AdminRouter>({
      url: issuer,
      audience: 'auth-server',
      credentials: identify('operator', operatorSecret),
    }),
  )
  type Settings = Partial<Parameters<typeof admin.agents.create.mutate>[0]>
  const enroll = async (id: string, settings: Settings): Promise<string> => {
    await admin.agents.create.mutate({ id, name: id, ...settings })
    return (await admin.clientSecrets.create.mutate({ agentId: id })).clientSecret
  }
  const carolSecret = await enroll(CAROL, {
    scopesSupported: ['carol:pay'],
    authorizationDetailsTypes: ['approved_call'],
  })
  const bobSecret = await enroll(BOB, {
    scopes: ['carol:pay'],
    scopesSupported: ['bob:report'],
    audiences: [CAROL],
    delegation: { to: [CAROL], maxDepth: 1 },
  })
  const aliceSecret = await enroll(ALICE, {
    scopes: ['bob:report', 'carol:pay'],
    audiences: [BOB],
    delegation: { to: [BOB], maxDepth: 2 },
  })
  const serve = async (
    agentId: string,
    secret: string,
    router: Parameters<typeof serveAgent>[0]['router'],
  ) => {
    const authenticator = stack.use(
      createIssuerAuthenticator({ issuer, agentId, clientSecret: secret, clock }),
    )
    const approvals = createLocalReplayMemory({ clock })
    const limitStores = { approvals, clock }
    const options = { agentId, router, authenticator, issuer, port: 0, limitStores, logger }
    return stack.use(await serveAgent(options))
  }
  const payments: Parameters<Pay>[0][] = []
  const carolAgent = await serve(
    CAROL,
    carolSecret,
    createCarolRouter((input) => {
      payments.push(input)
    }),
  )
  const actFor = createActFor({
    actor: identify(BOB, bobSecret),
    agents: { [CAROL]: `http://127.0.0.1:${String(carolAgent.port)}` },
  })
  const bobAgent = await serve(BOB, bobSecret, createBobRouter(actFor))
  const bob = stack.use(
    createAgentClient<BobRouter>({
      url: `http://127.0.0.1:${String(bobAgent.port)}`,
      audience: BOB,
      scopes: ['bob:report', 'carol:pay'],
      credentials: identify(ALICE, aliceSecret),
    }),
  )
  const resources = stack.move()
  const dispose = async (): Promise<void> => resources.disposeAsync()
  return { admin, bob, clock, payments, log: () => lines.join(''), [Symbol.asyncDispose]: dispose }
}

type World = Awaited<ReturnType<typeof startWorld>>

/** What Alice is told. */
async function ask({ bob }: World, amountMinor: number) {
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
    await using world = await startWorld()

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
    await using world = await startWorld()
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
    await using world = await startWorld()
    const { approvalId = '' } = await ask(world, 500)
    await world.admin.approvals.deny.mutate({ approvalId, note: 'too expensive' })

    expect(await ask(world, 500)).toMatchObject({ code: 'approval_denied', approvalId })
    expect(world.payments).toEqual([])
  })

  test('leaves no secret in any log', async () => {
    await using world = await startWorld()
    await ask(world, 500)

    expect(world.log()).not.toMatch(/\bcs-agent-|\beyJ[\w-]{20}/)
  })
})

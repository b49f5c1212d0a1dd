// What the types of tools hold to: paths of the contract only, with its inputs and outputs.
import type { TRPCClient } from '@trpc/client'
import type { InferToolInput, InferToolOutput } from 'ai'
import type { TestRouter } from '../../../../test/support/test-agent.ts'
import { aiTools } from './index.ts'

declare const contract: TestRouter
declare const client: TRPCClient<TestRouter>
const common = { contract, client, scopes: [] }

const tools = aiTools<TestRouter>()(['echo', 'pay'], {
  ...common,
  descriptions: { echo: '', pay: '' },
})

type Same<A, B> = [A, B] extends [B, A] ? true : never
type Tools = Required<typeof tools>

export const inputs: [
  Same<InferToolInput<Tools['echo']>, { text: string }>,
  Same<InferToolOutput<Tools['echo']>, string>,
  Same<InferToolInput<Tools['pay']>, { amountMinor: number }>,
  Same<InferToolOutput<Tools['pay']>, { paidMinor: number }>,
] = [true, true, true, true]

// @ts-expect-error -- the contract has no such procedure
aiTools<TestRouter>()(['transfer'], { ...common, descriptions: { transfer: '' } })

// @ts-expect-error -- a subscription is no tool
aiTools<TestRouter>()(['count'], { ...common, descriptions: { count: '' } })

// @ts-expect-error -- each tool is described
aiTools<TestRouter>()(['echo', 'pay'], { ...common, descriptions: { echo: '' } })

// What the compiler says where a client is made of a contract: which procedures its scopes reach, here and
// where a handler acts for its caller. Compiled, never run: where an error no longer comes, that is one.
import { agentRouter, createAgentContract, scopedProcedure } from '@deputy/auth/trpc'
import { expectTypeOf } from 'vitest'
import * as z from 'zod'
import {
  createActFor,
  createAgentClient,
  provideActFor,
  type ActFor,
  type ClientCredentials,
  type ContractClient,
  type Credentials,
  type NeedsScope,
  type RouterScope,
} from '@deputy/client'

declare const credentials: Credentials
declare const own: ClientCredentials

const createLedgerRouter = () =>
  agentRouter({
    balance: scopedProcedure('ledger:read').query(() => ({ minor: 1 })),
    pay: scopedProcedure('ledger:write')
      .input(z.object({ amountMinor: z.int() }))
      .mutation(({ input }) => ({ paidMinor: input.amountMinor })),
    books: {
      close: scopedProcedure('ledger:read', 'ledger:close').mutation(() => 'closed' as const),
    },
    watch: scopedProcedure('ledger:read').subscription(async function* watch() {
      yield { minor: 1 }
    }),
  })
const ledger = createAgentContract('agent-ledger-v1', createLedgerRouter)
type LedgerRouter = ReturnType<typeof createLedgerRouter>

// Its scopes are those of its procedures, as literals.
expectTypeOf<RouterScope<LedgerRouter>>().toEqualTypeOf<
  'ledger:read' | 'ledger:write' | 'ledger:close'
>()

const url = 'https://ledger.example'

// Without scopes, each call has a token with those of its procedure: all of them can be called.
const every = createAgentClient(ledger, { url, credentials })
expectTypeOf(every.balance.query).returns.resolves.toEqualTypeOf<{ minor: number }>()
expectTypeOf(every.pay.mutate).parameter(0).toEqualTypeOf<{ amountMinor: number }>()
expectTypeOf(every.pay.mutate).returns.resolves.toEqualTypeOf<{ paidMinor: number }>()
expectTypeOf(every.books.close.mutate).returns.resolves.toEqualTypeOf<'closed'>()
expectTypeOf(every.watch.subscribe).toBeFunction()
expectTypeOf(every).not.toBeAny()
// @ts-expect-error -- there is no such procedure
void every.withdraw
// @ts-expect-error -- a query is not a mutation
void every.balance.mutate()
// @ts-expect-error -- an amount is a number
void every.pay.mutate({ amountMinor: 'much' })

// With scopes, a procedure that needs another one is not there; the error names what is missing.
const reader = createAgentClient(ledger, { url, credentials, scopes: ['ledger:read'] })
expectTypeOf(reader).toEqualTypeOf<ContractClient<LedgerRouter, 'ledger:read'>>()
expectTypeOf(reader.balance.query).returns.resolves.toEqualTypeOf<{ minor: number }>()
expectTypeOf(reader.watch.subscribe).toBeFunction()
expectTypeOf(reader.pay).toEqualTypeOf<NeedsScope<'ledger:write'>>()
// @ts-expect-error -- needs ledger:write
void reader.pay.mutate({ amountMinor: 1 })
// One of two scopes is not enough, and only the other one is named.
expectTypeOf(reader.books.close).toEqualTypeOf<NeedsScope<'ledger:close'>>()
// @ts-expect-error -- needs ledger:close
void reader.books.close.mutate()

const closer = createAgentClient(ledger, {
  url,
  credentials,
  scopes: ['ledger:read', 'ledger:close'],
})
expectTypeOf(closer.books.close.mutate).returns.resolves.toEqualTypeOf<'closed'>()
// @ts-expect-error -- more scopes are not all scopes
void closer.pay.mutate({ amountMinor: 1 })

// @ts-expect-error -- a scope that no procedure of the contract needs
createAgentClient(ledger, { url, credentials, scopes: ['ledger:rad'] })
// @ts-expect-error -- nobody calls without credentials
createAgentClient(ledger, { url })
// @ts-expect-error -- the contract says whom, and not where
createAgentClient(ledger, { credentials })

// A handler acts for whoever called it with the same rules.
const actFor = createActFor({ actor: own, agents: { [ledger.agentId]: url } })
expectTypeOf(actFor).toEqualTypeOf<ActFor>()

export const clerkRouter = agentRouter({
  settle: scopedProcedure('clerk:use')
    .use(provideActFor(actFor))
    .mutation(async ({ ctx }) => {
      const asCaller = ctx.actFor(ctx.principal)
      const client = asCaller.client(ledger, { scopes: ['ledger:read'] })
      expectTypeOf(client.balance.query).returns.resolves.toEqualTypeOf<{ minor: number }>()
      // @ts-expect-error -- asked with ledger:read alone, nothing can be paid
      void client.pay.mutate({ amountMinor: 1 })
      // @ts-expect-error -- nor can a scope be asked for that the ledger does not know
      asCaller.client(ledger, { scopes: ['clerk:use'] })
      // @ts-expect-error -- limits are objects with a type (RFC 9396)
      asCaller.client(ledger, { limits: ['budget'] })
      // @ts-expect-error -- an id is not whoever called
      ctx.actFor('agent-alice-v1')
      expectTypeOf(ctx.principal.subject).toBeString()
      const paid = await asCaller.client(ledger).pay.mutate({ amountMinor: 1 })
      return paid.paidMinor
    }),
  plain: scopedProcedure('clerk:use').query(({ ctx }) => {
    // @ts-expect-error -- without the middleware there is nobody who acts
    void ctx.actFor
    return ctx.principal.agentId
  }),
})

// @ts-expect-error -- acting takes an agent's own credentials: an API key acts for nobody
createActFor({ actor: credentials, agents: {} })

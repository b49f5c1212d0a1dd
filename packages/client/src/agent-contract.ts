// What a caller's compiler reads from a router: which scopes each procedure needs.
import type { TRPCClient } from '@trpc/client'
import type { AnyTRPCProcedure, AnyTRPCRouter, TRPCRouterRecord } from '@trpc/server'

/** The scopes of a procedure; `never` for one that says nothing of them. */
type ScopesOf<Procedure> = Procedure extends {
  readonly meta: { readonly scopes: infer Scopes extends readonly string[] }
}
  ? Scopes[number]
  : never

type ScopesIn<Record> = {
  [Key in keyof Record]: Record[Key] extends AnyTRPCProcedure
    ? ScopesOf<Record[Key]>
    : Record[Key] extends TRPCRouterRecord
      ? ScopesIn<Record[Key]>
      : never
}[keyof Record]

/** Every scope that a router's procedures need. */
export type RouterScope<Router extends AnyTRPCRouter> = ScopesIn<Router['_def']['record']> & string

/** Stands where a procedure would, were its client given this scope. */
export type NeedsScope<Scope extends string> = { readonly needsScope: Scope }

type Within<Client, Record, Granted extends string> = {
  readonly [Key in keyof Record & keyof Client]: Record[Key] extends AnyTRPCProcedure
    ? ScopesOf<Record[Key]> extends Granted
      ? Client[Key]
      : NeedsScope<Exclude<ScopesOf<Record[Key]>, Granted>>
    : Record[Key] extends TRPCRouterRecord
      ? Within<Client[Key], Record[Key], Granted>
      : never
}

/** tRPC's client of a router, without the procedures that need more than these scopes. */
export type ScopedClient<Router extends AnyTRPCRouter, Granted extends string> = Within<
  TRPCClient<Router>,
  Router['_def']['record'],
  Granted
>

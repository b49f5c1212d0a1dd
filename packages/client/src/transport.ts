import type { TRPCLink } from '@trpc/client'
import type {
  AnyTRPCRouter,
  TRPCBuiltRouter,
  TRPCDefaultErrorShape,
  TRPCRouterRecord,
} from '@trpc/server'

/** Sends calls to one agent. */
export type Transport<Router extends AnyTRPCRouter> = {
  readonly link: TRPCLink<Router>
  /** Closes every connection, after the calls on it are answered. */
  close(): Promise<void>
}

/** A router without a data transformer: plain JSON, which is what Deputy's agents speak. */
export type PlainRouter = TRPCBuiltRouter<
  { ctx: object; meta: object; errorShape: TRPCDefaultErrorShape; transformer: false },
  TRPCRouterRecord
>

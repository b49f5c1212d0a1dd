// Which procedures of a router a model can be given, and the types of their tools.
import type {
  AnyTRPCMutationProcedure,
  AnyTRPCProcedure,
  AnyTRPCQueryProcedure,
  AnyTRPCRouter,
  inferProcedureInput,
  inferProcedureOutput,
} from '@trpc/server'
import type { Tool } from 'ai'

type Callable = AnyTRPCQueryProcedure | AnyTRPCMutationProcedure

type PathsOf<Level, Prefix extends string> = {
  [Key in keyof Level & string]: Level[Key] extends Callable
    ? `${Prefix}${Key}`
    : Level[Key] extends AnyTRPCProcedure
      ? never
      : Level[Key] extends object
        ? PathsOf<Level[Key], `${Prefix}${Key}.`>
        : never
}[keyof Level & string]

/** The path of a query or mutation, like `billing.balance`. */
export type ToolPath<Router extends AnyTRPCRouter> = PathsOf<Router['_def']['record'], ''>

type ProcedureAt<Level, Path extends string> = Path extends keyof Level
  ? Level[Path]
  : Path extends `${infer Head}.${infer Rest}`
    ? Head extends keyof Level
      ? ProcedureAt<Level[Head], Rest>
      : never
    : never

/** A path as models may name a tool: letters, digits, `_` and `-` only. */
export type ToolName<Path extends string> = Path extends `${infer Head}.${infer Rest}`
  ? `${Head}_${ToolName<Rest>}`
  : Path

type ToolAt<Level, Path extends string> =
  ProcedureAt<Level, Path> extends infer Procedure
    ? Procedure extends Callable
      ? Tool<inferProcedureInput<Procedure>, inferProcedureOutput<Procedure>>
      : never
    : never

/** The tools by name. One that the scopes do not reach is not there. */
export type AiTools<Router extends AnyTRPCRouter, Path extends string> = {
  [Each in Path as ToolName<Each>]?: ToolAt<Router['_def']['record'], Each>
}

// Procedures of a contract as tools of the AI SDK. A model is shown only those that the scopes of the present
// token reach. That is a courtesy to the model: whatever is called, the server decides.
import { getUntypedClient, type TRPCClient } from '@trpc/client'
import type { AnyTRPCProcedure, AnyTRPCRouter } from '@trpc/server'
import type { FlexibleSchema, ToolSet } from 'ai'
import type { RouterScope, ScopedClient } from '../agent-contract.ts'
import { ToolError } from './tool-error.ts'
import type { AiTools, ToolPath } from './tool-types.ts'

export type AiToolsOptions<Router extends AnyTRPCRouter, Path extends string> = {
  /** The contract's router, for its schemas and scopes alone: nothing in it is called. */
  readonly contract: Router
  /** What the calls are made with. */
  readonly client: TRPCClient<Router> | ScopedClient<Router, RouterScope<Router>>
  /** What the present token holds. */
  readonly scopes: readonly string[]
  /** What a model is told of each tool. */
  readonly descriptions: Readonly<Record<Path, string>>
}

/** What the contract says of a tool: its `metadata`, for whoever decides on a call. */
export type ToolContract = {
  readonly procedure: string
  readonly type: 'query' | 'mutation'
  readonly scopes: readonly string[]
  /** Whether somebody has to approve each call beforehand. */
  readonly approval: boolean
}

/**
 * Makes tools: `aiTools<BillingRouter>()(['billing.balance'], options)`. A tool answers what the procedure
 * does, and fails with `ToolError`, whose message a model may read. Throws `TypeError` for a path that the
 * contract does not have, and for a procedure without an input of its own.
 */
export function aiTools<Router extends AnyTRPCRouter>() {
  return <const Path extends ToolPath<Router>>(
    paths: readonly Path[],
    options: AiToolsOptions<Router, Path>,
  ): AiTools<Router, Path> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a scoped client is tRPC's, with less in its type
    const client = getUntypedClient(options.client as TRPCClient<Router>)
    const tools: ToolSet = {}
    for (const path of paths) {
      const { contract, inputSchema } = readProcedure(options.contract, path)
      if (!contract.scopes.every((scope) => options.scopes.includes(scope))) continue
      tools[String(path).replaceAll('.', '_')] = {
        description: options.descriptions[path],
        inputSchema,
        metadata: { ...contract, scopes: [...contract.scopes] },
        execute: async (input: unknown, { abortSignal }) => {
          const signal = abortSignal === undefined ? {} : { signal: abortSignal }
          try {
            return contract.type === 'query'
              ? await client.query(path, input, signal)
              : await client.mutation(path, input, signal)
          } catch (error) {
            throw ToolError.from(error)
          }
        },
      }
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- built path by path, as the type says
    return tools as AiTools<Router, Path>
  }
}

/** Reads what `aiTools` noted of a tool; `undefined` for a tool of another make. */
export function readToolContract(tool: object): ToolContract | undefined {
  const metadata = member(tool, 'metadata')
  const [procedure, type] = [member(metadata, 'procedure'), member(metadata, 'type')]
  if (typeof procedure !== 'string' || (type !== 'query' && type !== 'mutation')) return undefined
  return { procedure, type, ...readNeeds(metadata) }
}

function readProcedure(
  router: AnyTRPCRouter,
  path: string,
): { readonly contract: ToolContract; readonly inputSchema: FlexibleSchema<unknown> } {
  const procedures: Readonly<Record<string, AnyTRPCProcedure>> = router._def.procedures
  const definition = procedures[path]?._def
  if (definition === undefined || definition.type === 'subscription') {
    throw new TypeError(`the contract has no query or mutation ${path}`)
  }
  const [input] = definition.inputs
  if (!isSchema(input)) throw new TypeError(`${path} has no input schema that a model can be shown`)
  const contract = { procedure: path, type: definition.type, ...readNeeds(definition.meta) }
  return { contract, inputSchema: input }
}

/** The AI SDK reads Standard Schema, which zod's are. */
function isSchema(
  value: unknown,
): value is Extract<FlexibleSchema<unknown>, { '~standard': object }> {
  return typeof value === 'object' && value !== null && '~standard' in value
}

function readNeeds(meta: unknown): Pick<ToolContract, 'scopes' | 'approval'> {
  const scopes = member(meta, 'scopes')
  return {
    scopes: Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [],
    approval: member(meta, 'approval') === true,
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

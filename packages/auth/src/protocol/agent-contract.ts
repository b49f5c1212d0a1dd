// What an agent promises, as a value that callers read: its id, and what each procedure needs.

/** A procedure as its callers see it. */
export type ContractProcedure = {
  readonly type: 'query' | 'mutation' | 'subscription'
  /** All of them are needed. */
  readonly scopes: readonly string[]
  /** Whether somebody has to approve each call beforehand. */
  readonly approval: boolean
}

/** An agent's contract. `Router` is the type of its tRPC router. */
export type AgentContract<Router> = {
  /** The audience of tokens for it. */
  readonly agentId: string
  /** By path, like `billing.quote`. */
  readonly procedures: Readonly<Record<string, ContractProcedure>>
  /** Never there at run time: it carries the type. */
  readonly router?: Router | undefined
}

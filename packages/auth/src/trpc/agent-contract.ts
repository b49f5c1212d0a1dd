import type { AnyTRPCRouter } from '@trpc/server'
import type { AgentContract } from '../protocol/index.ts'
import { listProcedures } from './procedure-needs.ts'

/**
 * Reads a contract from the function that creates its router: `createAgentContract(id, createBillingRouter)`.
 * The service that the router stands on is not there: what is read of it while the router is created throws
 * a `TypeError` that names it.
 */
export function createAgentContract<Router extends AnyTRPCRouter>(
  agentId: string,
  createRouter: (service: never) => Router,
): AgentContract<Router> {
  const nobody = new Proxy(Object.freeze({}), {
    get(_target, member) {
      throw new TypeError(`a contract has no service: ${String(member)} is read in a handler only`)
    },
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- nothing of it can be read
  const router = createRouter(nobody as never)
  const procedures = listProcedures(router).map(({ approval, path, scopes, type }) => [
    path,
    Object.freeze({ type, scopes: Object.freeze([...scopes]), approval }),
  ])
  return Object.freeze({ agentId, procedures: Object.freeze(Object.fromEntries(procedures)) })
}

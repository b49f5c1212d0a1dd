// Runs what a message asks for, as plain calls are run (ADR 0034): tRPC's own caller copies all that a middleware is
// given three times for each of them.
import { callTRPCProcedure, type AnyTRPCProcedure, type AnyTRPCRouter } from '@trpc/server'
import { createProcedureRunner, type RunProcedure } from '../plain-calls/procedure-runner.ts'

/** Creates it, once for a router. tRPC has the words for a path that names nothing, and loads what is lazy. */
export function createRunCall(router: AnyTRPCRouter): RunProcedure {
  const known: Readonly<Record<string, AnyTRPCProcedure>> = router._def.procedures
  const runners = new Map<AnyTRPCProcedure, RunProcedure>()

  return async (call) => {
    const procedure = Object.hasOwn(known, call.path) ? known[call.path] : undefined
    if (procedure?._def.type !== call.type) return callTRPCProcedure(call)
    const runner = runners.get(procedure) ?? createProcedureRunner(procedure)
    runners.set(procedure, runner)
    return runner(call)
  }
}

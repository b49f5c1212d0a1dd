// What a procedure says of itself: part of the contract that both sides read.
import type { AnyTRPCProcedure, AnyTRPCRouter, TRPCProcedureBuilder } from '@trpc/server'
import { isScopeToken, LIMIT_TYPES, type Scope } from '../protocol/index.ts'

type Scopes = readonly [Scope, ...Scope[]]

/** What a procedure says of itself. Callers and operators read it from the router. */
export type AgentMeta = {
  /** All of them are needed. */
  readonly scopes: Scopes
  /**
   * Types of limits (RFC 9396) that the procedure itself keeps, like `budget`. A credential with a limit
   * that neither the procedure nor the guard keeps is refused.
   */
  readonly limits: readonly string[]
  /** Whether somebody has to approve each call beforehand. */
  readonly approval: boolean
}

/** What a procedure needs, where scopes are not all of it. */
export type ProcedureNeeds = Pick<AgentMeta, 'scopes'> & Partial<Omit<AgentMeta, 'scopes'>>

/** The scopes alone, or everything. */
export type ScopedProcedureArguments = Scopes | readonly [ProcedureNeeds]

/** The meta of a procedure, with its scopes as types: what a caller's compiler reads. */
export type MetaOf<Needs extends ScopedProcedureArguments> = AgentMeta & {
  readonly scopes: Needs extends Scopes
    ? Needs
    : Needs extends readonly [{ readonly scopes: infer Given }]
      ? Given
      : never
}

/** A builder of procedures whose meta is of another type. */
export type WithMeta<Builder, Meta> =
  Builder extends TRPCProcedureBuilder<
    infer Context,
    infer _Meta,
    infer Overrides,
    infer InputIn,
    infer InputOut,
    infer OutputIn,
    infer OutputOut,
    infer Caller,
    infer ErrorShape
  >
    ? TRPCProcedureBuilder<
        Context,
        Meta,
        Overrides,
        InputIn,
        InputOut,
        OutputIn,
        OutputOut,
        Caller,
        ErrorShape
      >
    : never

/** Limits that the guard keeps for every procedure. */
const KEPT_BY_GUARD: ReadonlySet<string> = new Set(LIMIT_TYPES.filter((type) => type !== 'budget'))

/**
 * Reads what `scopedProcedure` is given. Throws `TypeError` for a scope that RFC 6749 §3.3 does not allow,
 * and for a limit that is not the procedure's to keep.
 */
export function toMeta(given: ScopedProcedureArguments): AgentMeta {
  const {
    approval = false,
    limits = [],
    scopes,
  }: ProcedureNeeds = isScopes(given) ? { scopes: given } : given[0]
  const bad = scopes.find((scope) => !isScopeToken(scope))
  if (bad !== undefined)
    throw new TypeError(`${JSON.stringify(bad)} is not a scope (RFC 6749 §3.3)`)
  const foreign = limits.find((type) => KEPT_BY_GUARD.has(type))
  if (foreign !== undefined) {
    throw new TypeError(`limits of type ${foreign} are kept by the guard of every procedure`)
  }
  const meta = { scopes, limits, approval }
  const marked = { ...meta, [GUARDED]: meta }
  return marked
}

/**
 * Where the meta of a guarded procedure has what the guard asks for. Attack prevented: a procedure of another tRPC instance
 * whose meta names scopes, or one whose meta was changed since, of which other things are told than are asked for.
 */
const GUARDED = Symbol.for('@deputy/auth: guarded')

/** Whether `scopedProcedure` made a procedure: what its meta says is asked for, and not only named. */
export function isGuarded({ _def: { meta } }: AnyTRPCProcedure): boolean {
  const guarded = readMember(meta, GUARDED)
  return (
    guarded !== undefined &&
    NEEDS.every((name) => readMember(meta, name) === readMember(guarded, name))
  )
}

const NEEDS = ['scopes', 'limits', 'approval'] as const

function isScopes(given: ScopedProcedureArguments): given is Scopes {
  return typeof given[0] === 'string'
}

/** A procedure as the contract has it. */
export type ProcedureSummary = {
  readonly path: string
  readonly type: 'query' | 'mutation' | 'subscription'
  readonly scopes: readonly string[]
  /** Types of limits that it keeps itself, beside those that the guard keeps for every procedure. */
  readonly limits: readonly string[]
  /** Whether somebody has to approve each call beforehand. */
  readonly approval: boolean
}

/** Lists a router's procedures with what they need, in the order they were written. */
export function listProcedures(router: AnyTRPCRouter): readonly ProcedureSummary[] {
  const procedures: Record<string, AnyTRPCProcedure> = router._def.procedures
  return Object.entries(procedures).map(([path, procedure]) => {
    const { meta, type } = procedure._def
    return {
      path,
      type,
      scopes: readTexts(meta, 'scopes'),
      limits: readTexts(meta, 'limits'),
      approval: readMember(meta, 'approval') === true,
    }
  })
}

/** A procedure of another tRPC instance may carry any meta, or none. */
function readMember(meta: unknown, name: string | symbol): unknown {
  return typeof meta === 'object' && meta !== null ? Reflect.get(meta, name) : undefined
}

function readTexts(meta: unknown, name: string): readonly string[] {
  const value = readMember(meta, name)
  return Array.isArray(value) ? value.filter((text) => typeof text === 'string') : []
}

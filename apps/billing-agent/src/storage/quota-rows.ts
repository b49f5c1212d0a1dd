// Quotas as their columns have them.
import type { QuotaMeasure, QuotaScope, QuotaVersion } from '@deputy/contracts/billing'
import type { Selectable } from 'kysely'
import type { QuotaEventTable, QuotaTable, QuotaVersionTable } from './tables.ts'

type KeyRow = Pick<
  Selectable<QuotaTable>,
  'owner_id' | 'scope_kind' | 'scope_id' | 'measure' | 'unit' | 'period'
>

/** An event with the quota that it is of. */
export type EventRow = Selectable<QuotaEventTable> & KeyRow

/** Of a tenant's quota, the organisation. */
export function toScopeId(scope: QuotaScope, ownerId: string): string {
  if (scope.kind === 'agent') return scope.agentId
  return scope.kind === 'grant' ? scope.grantId : ownerId
}

/** A currency, or a meter. */
export function toUnit(measure: QuotaMeasure): string {
  return measure.kind === 'money' ? measure.currency : measure.meter
}

/** The scope that a row says. */
export function toScope({ scope_id: id, scope_kind: kind }: KeyRow): QuotaScope {
  if (kind === 'agent') return { kind, agentId: id }
  return kind === 'grant' ? { kind, grantId: id } : { kind }
}

/** The measure that a row says. */
export function toMeasure({ measure: kind, unit }: KeyRow): QuotaMeasure {
  return kind === 'money' ? { kind, currency: unit } : { kind, meter: unit }
}

/** A version as the contract shows it. */
export function toVersion(row: Selectable<QuotaVersionTable>): QuotaVersion {
  return {
    version: row.version,
    cap: row.cap,
    enforcement: row.enforcement,
    reason: row.reason,
    setAt: row.set_at,
    setBy: row.agent_id,
    subject: row.subject,
    grantId: row.grant_id ?? undefined,
    traceId: row.trace_id ?? undefined,
  }
}

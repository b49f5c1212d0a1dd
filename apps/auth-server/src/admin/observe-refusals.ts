import { toPublicError, type ObserveCall } from '@deputy/auth/trpc'
import type { Logger } from '@deputy/serve'
import type { AuditLog } from '../audit/audit-log.ts'
import { describeCall } from './describe-call.ts'

/**
 * Creates what puts refused calls of the admin API on the audit trail, before they are answered. Calls
 * of nobody in particular are in the log alone: a flood of them must not fill the trail.
 */
export function createRefusalObserver(audit: AuditLog, logger: Logger): ObserveCall {
  return ({ correlationId, path, traceId }) =>
    async ({ error, principal }) => {
      if (error === undefined || principal === undefined) return
      const { reason } = toPublicError(error).data
      // The limit itself keeps a flood off: it must not come in by this door.
      if (reason === 'rate_limited') return
      try {
        await audit.record({
          event: 'admin.refused',
          outcome: error.code === 'INTERNAL_SERVER_ERROR' ? 'failed' : 'refused',
          reason,
          ownerId: principal.ownerId,
          ...describeCall({ principal, correlationId, traceId }),
          subjectId: principal.subject,
          details: { path },
        })
      } catch (err) {
        // The refusal stands without its entry; an act would not.
        logger.error({ err, correlationId }, 'a refusal is not on the audit trail')
      }
    }
}

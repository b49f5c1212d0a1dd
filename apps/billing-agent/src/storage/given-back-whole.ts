import { sql, type SqlBool } from 'kysely'

/**
 * Of a row of `hold`: whether all that was captured was given back before any of it stood on a statement. Neither the capture
 * nor its refunds come to a statement then: nothing is charged, so that nothing has to be shown for it.
 */
export const isGivenBackWhole = sql<SqlBool>`(
  hold.captured_minor = (select coalesce(sum(amount_minor), 0) from refund where refund.hold_id = hold.id)
  and not exists (select 1 from statement_line where statement_line.hold_id = hold.id)
  and not exists (select 1 from statement_credit join refund on refund.id = statement_credit.refund_id
    where refund.hold_id = hold.id))`

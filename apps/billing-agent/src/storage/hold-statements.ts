// What the path of every hold and capture asks of the table of holds.
import { sql, type Selectable } from 'kysely'
import { createRowsStatement, createStatement } from './statement.ts'
import type { HoldGrantTable, HoldTable } from './tables.ts'

/** Changes nothing where the quote was used before. */
export const insertHold = createStatement<Omit<Selectable<HoldTable>, 'expired'>, unknown>(
  (db, row) =>
    db
      .insertInto('hold')
      .values({
        id: row.id,
        quote_id: row.quote_id,
        owner_id: row.owner_id,
        account: row.account,
        service: row.service,
        reference: row.reference,
        state: row.state,
        amount_minor: row.amount_minor,
        captured_minor: row.captured_minor,
        currency: row.currency,
        created_at: row.created_at,
        expires_at: row.expires_at,
        ended_at: row.ended_at,
      })
      .onConflict((conflict) => conflict.column('quote_id').doNothing()),
)

/** The ids of the path that a hold stands on. */
export const insertGrants = createRowsStatement<HoldGrantTable>((db, rows) =>
  db.insertInto('hold_grant').values([...rows]),
)

/** A hold of one account. */
export const selectHold = createStatement<
  { id: string; ownerId: string; account: string },
  Selectable<HoldTable>
>((db, { account, id, ownerId }) =>
  db
    .selectFrom('hold')
    .selectAll()
    .where('id', '=', id)
    .where('owner_id', '=', ownerId)
    .where('account', '=', account),
)

/** Ends an open hold. */
export const endHold = createStatement<
  {
    id: string
    state: 'captured' | 'released'
    capturedMinor: number
    endedAt: number
    expired: number
  },
  unknown
>((db, { capturedMinor, endedAt, expired, id, state }) =>
  db
    .updateTable('hold')
    .set({ state, captured_minor: capturedMinor, ended_at: endedAt, expired })
    .where('id', '=', id)
    .where('state', '=', sql.lit('held')),
)

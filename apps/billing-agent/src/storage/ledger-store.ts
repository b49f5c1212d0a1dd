import { decimalsOf } from '@deputy/auth/protocol'
import { sql, type Kysely, type Selectable } from 'kysely'
import type { LedgerStore } from '../ledger/ledger-store.ts'
import { assertBalanced, movedMinor } from '../ledger/posting.ts'
import { createRowsStatement, createStatement } from './statement.ts'
import type { EntryTable, Tables } from './tables.ts'
import type { WorkMarks } from './work-marks.ts'

type PostingRow = Omit<Tables['posting'], 'id'> & { readonly id: string }

const insertPosting = createStatement<PostingRow, unknown>((db, row) =>
  db.insertInto('posting').values({
    id: row.id,
    procedure: row.procedure,
    agent_id: row.agent_id,
    subject: row.subject,
    credential_id: row.credential_id,
    created_at: row.created_at,
    owner_id: row.owner_id,
    grant_id: row.grant_id,
    token_sha256: row.token_sha256,
    trace_id: row.trace_id,
    hold_id: row.hold_id,
    refers_to: row.refers_to,
  }),
)

type AccountKey = { readonly name: string; readonly currency: string }

const openAccount = createStatement<AccountKey & { owner_id: string; scale: number }, unknown>(
  (db, { currency, name, owner_id, scale }) =>
    db
      .insertInto('account')
      .columns(['name', 'currency', 'owner_id', 'scale'])
      .expression(
        db
          .selectNoFrom([
            sql<string>`cast(${name} as text)`.as('name'),
            sql<string>`cast(${currency} as text)`.as('currency'),
            sql<string>`cast(${owner_id} as text)`.as('owner_id'),
            sql<number>`cast(${scale} as bigint)`.as('scale'),
          ])
          .where((eb) =>
            eb.not(
              eb.exists(
                eb
                  .selectFrom('account')
                  .select('scale')
                  .where('name', '=', name)
                  .where('currency', '=', currency),
              ),
            ),
          ),
      ),
)

type EntryRow = Omit<Selectable<EntryTable>, 'id'>

const insertEntries = createRowsStatement<EntryRow>((db, rows) =>
  db.insertInto('entry').values([...rows]),
)

const insertSeal = createStatement<{ id: string }, unknown>((db, { id }) =>
  db.insertInto('posting_seal').values({ posting_id: id }),
)

const selectBalances = createStatement<
  { currency: string; first: string; second: string },
  { name: string; balance_minor: number }
>((db, { currency, first, second }) =>
  db
    .selectFrom('account')
    .select(['name', 'balance_minor'])
    .where('name', 'in', [first, second])
    .where('currency', '=', currency),
)

const selectOfHold = createStatement<{ holdId: string; procedure: string }, { id: string }>(
  (db, { holdId, procedure }) =>
    db
      .selectFrom('posting')
      .select('id')
      .where('hold_id', '=', holdId)
      .where('procedure', '=', procedure)
      .limit(sql.lit(1)),
)

/** Which accounts are there: those that were committed need not be made sure of again, since none ever goes. */
export type KnownAccounts = {
  readonly has: (account: string, currency: string) => boolean
  /** Within the transaction that makes it. */
  readonly open: (account: string, currency: string) => void
}

/** Creates the book on Kysely. What it marks counts once the work is committed. */
export function createKyselyLedgerStore(
  db: Kysely<Tables>,
  { accounts: known, post: mark }: Pick<WorkMarks, 'accounts' | 'post'>,
): LedgerStore {
  const balancesOf: LedgerStore['balancesOf'] = async ([first, second], currency) => {
    const { rows } = await selectBalances(db, { first, second, currency })
    const balanceOf = (account: string): number =>
      rows.find(({ name }) => name === account)?.balance_minor ?? 0
    return [balanceOf(first), balanceOf(second)]
  }

  return {
    async post({ createdAt, currency, entries, ...posting }) {
      assertBalanced(entries)
      await insertPosting(db, {
        id: posting.id,
        procedure: posting.procedure,
        agent_id: posting.agentId,
        subject: posting.subject,
        credential_id: posting.credentialId,
        created_at: createdAt,
        owner_id: posting.ownerId,
        grant_id: posting.grantId ?? null,
        token_sha256: posting.tokenSha256 ?? null,
        trace_id: posting.traceId ?? null,
        hold_id: posting.holdId ?? null,
        refers_to: posting.refersTo ?? null,
      })
      const rows: EntryRow[] = []
      const account = { currency, owner_id: posting.ownerId, scale: decimalsOf(currency) }
      for (const { account: name, amountMinor } of entries) {
        if (!known.has(name, currency)) {
          await openAccount(db, { ...account, name })
          known.open(name, currency)
        }
        rows.push({ posting_id: posting.id, account: name, currency, amount_minor: amountMinor })
      }
      await insertEntries(db, rows)
      await insertSeal(db, { id: posting.id })
      const { procedure } = posting
      mark({ procedure, currency, amountMinor: movedMinor(procedure, entries) })
    },

    async balanceOf(account, currency) {
      const [balance] = await balancesOf([account, account], currency)
      return balance
    },

    balancesOf,

    async hasAccount(account, currency) {
      const { rows } = await selectBalances(db, { first: account, second: account, currency })
      return rows.length > 0
    },

    async listBalances(ownerId, currency) {
      const rows = await db
        .selectFrom('account')
        .select(['name', 'balance_minor'])
        .where('owner_id', '=', ownerId)
        .where('currency', '=', currency)
        .orderBy('name')
        .execute()
      return rows.map(({ balance_minor: balanceMinor, name: account }) => ({
        account,
        balanceMinor,
      }))
    },

    async findOfHold(holdId, procedure) {
      const { rows } = await selectOfHold(db, { holdId, procedure })
      return rows[0]?.id
    },
  }
}

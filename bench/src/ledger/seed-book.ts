// A book as a year of work leaves it: agents of one organisation that hold and capture. Written straight into the tables,
// in bulk, with the triggers and indexes taken down meanwhile and put back as they were; afterwards billing's own `verify`
// adds all of it up.
import { DatabaseSync } from 'node:sqlite'
import { openStorage } from '../../../apps/billing-agent/src/storage/open-storage.ts'
import { verifyLedger } from '../../../apps/billing-agent/src/verify/verify-ledger.ts'

/** Entries of a hold and its capture. */
const ENTRIES_PER_PAIR = 5
const PAIRS_PER_TRANSACTION = 50_000
export const AGENTS = 1000

/** When the first one was placed; one a second from then on. */
const FIRST_AT = 1_700_000_000
/** Answers are forgotten after 30 days: as many pairs as that is have theirs still. */
const PAIRS_WITH_ANSWERS = 200_000
/** Paid in by each agent: more than the bench takes. */
export const DEPOSIT_MINOR = 1_000_000_000

export type SeedBookOptions = {
  readonly file: string
  /** Entries at least. */
  readonly entries: number
  readonly log: (line: string) => void
}

/** The name of an agent, by its number. */
export const agentOf = (number: number): string => `agent-bench-${String(number)}`

/** Makes the book. Throws when it does not verify. */
export async function seedBook({ entries, file, log }: SeedBookOptions): Promise<void> {
  await using made = await openStorage({ file })
  await made.close()
  const pairs = Math.ceil(entries / ENTRIES_PER_PAIR)
  const database = new DatabaseSync(file)
  try {
    database.exec(
      'pragma synchronous = off; pragma foreign_keys = off; pragma cache_size = -400000',
    )
    const putBack = takeDown(database)
    database.exec(`begin; ${DEPOSITS}; commit`)
    for (let from = 0; from < pairs; from += PAIRS_PER_TRANSACTION) {
      const to = Math.min(pairs, from + PAIRS_PER_TRANSACTION)
      database.exec(`begin; ${writePairs(from, to, pairs)} commit`)
      if (to % 500_000 === 0) log(`seeded ${(to * ENTRIES_PER_PAIR).toLocaleString('en')} entries`)
    }
    database.exec(BALANCES)
    putBack()
    database.exec('analyze; pragma wal_checkpoint(truncate)')
    const violated = database.prepare('pragma foreign_key_check').get()
    if (violated !== undefined) throw new Error('the seeded book refers to what is not there')
  } finally {
    database.close()
  }
  await using storage = await openStorage({ file })
  const { fault, throughEntryId } = await verifyLedger(storage, { entries: 'all' })
  if (fault !== undefined) throw new Error(`the seeded book is broken: ${fault.kind} ${fault.id}`)
  log(`verified ${throughEntryId.toLocaleString('en')} entries`)
}

/** Drops triggers and indexes; what it returns makes them again, from their own text. */
function takeDown(database: DatabaseSync): () => void {
  const made = database
    .prepare(
      `select type, name, sql from sqlite_master
        where type in ('trigger', 'index') and sql is not null order by type`,
    )
    .all()
  for (const { name, type } of made) database.exec(`drop ${String(type)} "${String(name)}"`)
  return () => {
    for (const { sql } of made) database.exec(String(sql))
  }
}

/** UUIDs of version 7, in the order of time, as billing makes them: the second, what it is, and its number. */
const idOf = (kind: number): string =>
  `printf('%08x-%04x-7${String(kind)}00-8000-%012x', ((${String(FIRST_AT)} + n) * 1000) >> 16, ((${String(FIRST_AT)} + n) * 1000) & 65535, n)`
const [QUOTE, HOLD, PLACED, CAPTURED, PAID, JOB, TASK, TOKEN] = [0, 1, 2, 3, 4, 5, 6, 7].map(idOf)
const AGENT = `'agent-bench-' || (n % ${String(AGENTS)})`
const AT = `${String(FIRST_AT)} + n`
const [AVAILABLE, HELD] = ['available', 'held'].map((name) => `'agent:' || ${AGENT} || ':${name}'`)
const POSTING_COLUMNS =
  'id, procedure, agent_id, subject, credential_id, created_at, owner_id, grant_id, token_sha256, trace_id, hold_id, refers_to'
/** What an agent's tokens stand on: it keeps its credential, while task grants and tokens are new ones. */
const CREDENTIAL = `'credential-of-' || ${AGENT}`
const CAUSE = `${AGENT}, ${AGENT}, 'token-' || n, ${AT}, 'system', 'grant-' || n, hex(zeroblob(32)), hex(zeroblob(16))`

const DEPOSITS = `
  create temp table deposit_number as
    with recursive number (n) as (select 0 union all select n + 1 from number where n + 1 < ${String(AGENTS)})
    select n from number;
  insert into account (name, currency) values ('external:funding', 'USD'), ('income:research.brief', 'USD');
  insert into account (name, currency) select ${AVAILABLE ?? ''}, 'USD' from deposit_number
    union all select ${HELD ?? ''}, 'USD' from deposit_number;
  insert into posting (${POSTING_COLUMNS})
    select ${PAID ?? ''}, 'billing.deposit', 'operator', 'operator', 'token', ${AT}, 'system', null, null, null, null, null
    from deposit_number;
  insert into posting_seal select ${PAID ?? ''} from deposit_number;
  insert into entry (posting_id, account, currency, amount_minor)
    select ${PAID ?? ''}, case side when 0 then 'external:funding' else ${AVAILABLE ?? ''} end, 'USD',
      case side when 0 then -1 else 1 end * ${String(DEPOSIT_MINOR)}
    from deposit_number, (select 0 as side union all select 1) order by n, side`

/** Pairs from one number until before another. */
function writePairs(from: number, to: number, pairs: number): string {
  const answered = Math.max(from, pairs - PAIRS_WITH_ANSWERS)
  return `
  create temp table number as
    with recursive number (n) as (
      select ${String(from)} union all select n + 1 from number where n + 1 < ${String(to)})
    select n from number;
  insert into quote (id, account, service, units, base_minor, unit_price_minor, amount_minor, currency, price_book_version, expires_at)
    select ${QUOTE ?? ''}, ${AGENT}, 'research.brief', 2, 10, 5, 20, 'USD', '2026-11', ${AT} + 600 from number;
  insert into hold (id, quote_id, account, service, reference, state, amount_minor, captured_minor, currency, created_at, expires_at, ended_at)
    select ${HOLD ?? ''}, ${QUOTE ?? ''}, ${AGENT}, 'research.brief', 'job-' || n, 'captured', 20, 15, 'USD', ${AT}, ${AT} + 3600, ${AT} + 1
    from number;
  insert into hold_grant (grant_id, hold_id)
    select case of when 'credential' then ${CREDENTIAL} when 'task' then ${TASK ?? ''} else ${TOKEN ?? ''} end, ${HOLD ?? ''}
    from number, (select 'credential' as of union all select 'task' union all select 'token') order by 1;
  insert into posting (${POSTING_COLUMNS})
    select ${PLACED ?? ''}, 'billing.hold', ${CAUSE}, ${HOLD ?? ''}, null from number;
  insert into posting (${POSTING_COLUMNS})
    select ${CAPTURED ?? ''}, 'billing.capture', ${CAUSE}, ${HOLD ?? ''}, ${PLACED ?? ''} from number;
  insert into posting_seal select ${PLACED ?? ''} from number;
  insert into posting_seal select ${CAPTURED ?? ''} from number;
  insert into entry (posting_id, account, currency, amount_minor)
    select case when side < 2 then ${PLACED ?? ''} else ${CAPTURED ?? ''} end,
      case side when 0 then ${AVAILABLE ?? ''} when 1 then ${HELD ?? ''} when 2 then ${HELD ?? ''}
        when 3 then 'income:research.brief' else ${AVAILABLE ?? ''} end,
      'USD', case side when 0 then -20 when 1 then 20 when 2 then -20 when 3 then 15 else 5 end
    from number, (select 0 as side union all select 1 union all select 2 union all select 3 union all select 4)
    order by n, side;
  insert into answer (agent_id, key, procedure, body_sha256, answer, created_at)
    select ${AGENT}, ${JOB ?? ''} || ':' || step, 'billing.' || step, hex(zeroblob(32)), '{"holdId":"' || ${HOLD ?? ''} || '"}', ${AT}
    from number, (select 'quote' as step union all select 'hold' union all select 'capture')
    where n >= ${String(answered)} order by n;
  drop table number;`
}

const BALANCES = `
  insert into posting_day select distinct owner_id, agent_id, created_at / 86400 from posting;
  create temp table sums (account text primary key, total integer, last integer) without rowid;
  insert into sums select account, sum(amount_minor), max(id) from entry group by account;
  update account set balance_minor = sums.total, last_entry_id = sums.last
    from sums where sums.account = account.name`

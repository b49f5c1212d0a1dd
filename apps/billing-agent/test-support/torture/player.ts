// What one agent does, at random, one act after the other.
import { Hold, Quote, RecordedUsage, Refund, Statement } from '@deputy/contracts/billing'
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import type { Caller } from './caller.ts'
import { OPERATOR, type Player } from './cast.ts'
import type { KnownHold, TortureRecord } from './record.ts'

export const METER = 'torture.search'

export type Play = {
  readonly player: Player
  readonly call: Caller
  readonly record: TortureRecord
  /** A whole number below `limit`. */
  readonly random: (limit: number) => number
  /** Holds of each account, of whichever agent. */
  readonly holdsOf: Map<string, KnownHold[]>
}

/** Does one act. Whatever it began, it knows the end of. */
export async function act(play: Play): Promise<void> {
  const dice = play.random(100)
  if (dice < 40) return placeHold(play)
  if (dice < 60) return capture(play)
  if (dice < 70) return release(play)
  if (dice < 78) return refund(play)
  if (dice < 84) return deposit(play)
  if (dice < 98) return recordUsage(play)
  return closeStatement(play)
}

/** One in four calls is sent twice at once. */
const once = ({ random }: Play) => ({ twice: random(4) === 0 })
const key = () => ({ idempotencyKey: randomUUID() })

async function placeHold(play: Play): Promise<void> {
  const { call, holdsOf, player, random, record } = play
  const asked = { service: 'research.brief', units: 1 + random(12), ...key() }
  const quote = await call(player.id, 'billing.quote', {
    input: asked,
    output: Quote,
    ...once(play),
  })
  if (quote === undefined) return
  const input = { quoteId: quote.quoteId, reference: randomUUID(), ...key() }
  const hold = await call(player.id, 'billing.hold', { input, output: Hold, ...once(play) })
  if (hold === undefined) return
  const known: KnownHold = {
    holdId: hold.holdId,
    account: player.account,
    amountMinor: hold.amount.amountMinor,
    captures: 0,
    capturedMinor: 0,
    releases: 0,
    refundedMinor: 0,
  }
  record.holds.set(hold.holdId, known)
  const holds = holdsOf.get(player.account) ?? []
  holdsOf.set(player.account, holds)
  holds.push(known)
}

/** Also holds that others of the account are about to end: one of them wins. */
function pick({ holdsOf, player, random }: Play): KnownHold | undefined {
  const holds = holdsOf.get(player.account) ?? []
  return holds[Math.max(0, holds.length - 1 - random(12))]
}

async function capture(play: Play): Promise<void> {
  const { call, player, random } = play
  const hold = pick(play)
  if (hold === undefined) return
  const amountMinor = 1 + random(hold.amountMinor)
  const input = { holdId: hold.holdId, amountMinor, ...key() }
  const answer = await call(player.id, 'billing.capture', { input, output: Hold, ...once(play) })
  if (answer === undefined) return
  hold.captures += 1
  hold.capturedMinor = answer.capturedMinor
}

async function release(play: Play): Promise<void> {
  const { call, player } = play
  const hold = pick(play)
  if (hold === undefined) return
  const input = { holdId: hold.holdId, ...key() }
  const answer = await call(player.id, 'billing.release', { input, output: Hold, ...once(play) })
  if (answer !== undefined) hold.releases += 1
}

async function refund(play: Play): Promise<void> {
  const { call, player, random, record } = play
  const hold = pick(play)
  if (hold === undefined || hold.captures === 0) return
  const { holdId } = hold
  const amountMinor = 1 + random(hold.capturedMinor)
  const input = { holdId, ownerId: player.ownerId, amountMinor, reason: 'torture', ...key() }
  const answer = await call(OPERATOR, 'billing.refund', { input, output: Refund, ...once(play) })
  if (answer === undefined) return
  hold.refundedMinor += amountMinor
  record.refundIds.push(answer.refundId)
}

async function deposit(play: Play): Promise<void> {
  const { call, player, random, record } = play
  const { account, ownerId } = player
  const amountMinor = 1 + random(500)
  const input = { account, ownerId, amount: { amountMinor, currency: 'USD' }, ...key() }
  const answer = await call(OPERATOR, 'billing.deposit', {
    input,
    output: z.unknown(),
    ...once(play),
  })
  if (answer === undefined) return
  const known = record.deposits.get(account) ?? { count: 0, totalMinor: 0 }
  const totalMinor = known.totalMinor + amountMinor
  record.deposits.set(account, { count: known.count + 1, totalMinor })
}

async function recordUsage(play: Play): Promise<void> {
  const { call, player, random, record } = play
  // A token with a budget makes no usage, which is paid for beside it.
  if (player.grantId !== undefined) return
  const eventId = randomUUID()
  const quantity = random(5)
  const usage = { kind: 'usage', eventId, meter: METER, quantity, happenedAt: 1_790_000_000 }
  // The second time it is a duplicate, and the answer says so.
  const how = { output: RecordedUsage, isAnswerKept: false, ...once(play) }
  const told = await call(player.id, 'usage.record', { input: { events: [usage] }, ...how })
  if (told === undefined) return
  record.usage.set(`${player.id}/${eventId}`, quantity)
  if (random(4) > 0) return
  const right = random(5)
  const correction = {
    kind: 'correction',
    eventId: randomUUID(),
    corrects: eventId,
    quantity: right,
    reason: 'torture',
  }
  const corrected = await call(player.id, 'usage.record', {
    input: { events: [correction] },
    ...how,
  })
  if (corrected === undefined) return
  record.usage.set(`${player.id}/${eventId}`, right)
  record.corrections += 1
}

async function closeStatement({ call, player, record }: Play): Promise<void> {
  const { account, ownerId } = player
  const input = { account, ownerId, ...key() }
  const answer = await call(OPERATOR, 'billing.closeStatement', { input, output: Statement })
  if (answer !== undefined) record.statementIds.push(answer.statementId)
}

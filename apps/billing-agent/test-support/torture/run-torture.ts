// 100 agents at once do what they like, for a while, at a server that is killed again and again. Afterwards the book has
// to be what they were told, to the cent.
import type { DatabaseLocation } from '@deputy/storage'
import { randomUUID } from 'node:crypto'
import * as z from 'zod'
import { createTortureCaller, type Caller } from './caller.ts'
import { createPlayers, OPERATOR, type Player } from './cast.ts'
import { checkTorture } from './check-torture.ts'
import { act, METER } from './player.ts'
import { createTortureRecord, type KnownHold, type TortureRecord } from './record.ts'
import { startTortureServer } from './server.ts'

export type TortureOptions = {
  readonly location: DatabaseLocation
  readonly agents: number
  /** Answers after which the server is killed. */
  readonly answersPerKill: number
  /** Asked before each act. */
  readonly isOver: (record: TortureRecord, kills: number) => boolean
  /** Where the choices of the agents begin. */
  readonly seed: number
}

export type TortureOutcome = {
  /** What is wrong with the book or with an answer. */
  readonly faults: readonly string[]
  readonly kills: number
  readonly acknowledged: number
  readonly retried: number
  readonly postings: number
  readonly refusals: Readonly<Record<string, number>>
}

/** What every account begins with: too little for all that its agents want. */
const FIRST_DEPOSIT_MINOR = 3000

/** Runs it, and checks what is left. */
export async function runTorture(options: TortureOptions): Promise<TortureOutcome> {
  const { agents, answersPerKill, isOver, location, seed } = options
  const record = createTortureRecord()
  const players = createPlayers(agents)
  let kills = 0
  {
    await using server = startTortureServer(location, agents)
    const call = createTortureCaller(server, record)
    await setUp(call, players, record)
    const holdsOf = new Map<string, KnownHold[]>()
    let killAt = record.acknowledged + answersPerKill
    let killing: Promise<void> | undefined
    const kill = async (): Promise<void> => {
      await server.killAndStart()
      killAt = record.acknowledged + answersPerKill
      killing = undefined
    }
    await Promise.all(
      players.map(async (player, place) => {
        const random = createRandom(seed + place)
        while (!isOver(record, server.kills())) {
          await act({ player, call, record, random, holdsOf })
          if (record.acknowledged < killAt || killing !== undefined) continue
          // Whatever the others have under way ends here.
          killing = kill()
        }
      }),
    )
    await killing
    kills = server.kills()
  }
  const { faults, postings } = await checkTorture(location, record, players)
  const { acknowledged, refusals, retried } = record
  return {
    faults: [...record.faults, ...faults],
    kills,
    acknowledged,
    retried,
    postings,
    refusals: Object.fromEntries(refusals),
  }
}

/** Money for everybody, a meter with a price, and quotas that will be reached. */
async function setUp(call: Caller, players: readonly Player[], record: TortureRecord) {
  const operate = async (path: string, input: object) =>
    call(OPERATOR, path, { input: { idempotencyKey: randomUUID(), ...input }, output: z.unknown() })
  await operate('usage.defineMeter', { meter: METER, aggregation: 'sum', description: 'torture' })
  const price = { currency: 'USD', unitPriceMinor: 1 }
  await operate('billing.publishPrices', {
    version: 'torture',
    prices: [
      { service: METER, baseMinor: 3, ...price },
      { service: 'research.brief', baseMinor: 10, ...price },
    ],
  })
  const accounts = new Map(players.map(({ account, ownerId }) => [account, ownerId]))
  for (const [account, ownerId] of accounts) {
    const amount = { amountMinor: FIRST_DEPOSIT_MINOR, currency: 'USD' }
    await operate('billing.deposit', { account, ownerId, amount })
    record.deposits.set(account, { count: 1, totalMinor: FIRST_DEPOSIT_MINOR })
  }
  for (const ownerId of new Set(accounts.values())) {
    const quota = { ownerId, scope: { kind: 'tenant' }, period: 'day', reason: 'torture' }
    const money = { kind: 'money', currency: 'USD' }
    await operate('quotas.set', { ...quota, measure: money, cap: 20_000 })
    const usage = { kind: 'usage', meter: METER }
    await operate('quotas.set', { ...quota, measure: usage, period: 'total', cap: 2000 })
  }
}

/** Mulberry32: the same choices for the same seed. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

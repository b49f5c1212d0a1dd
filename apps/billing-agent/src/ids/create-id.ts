import type { EpochSeconds } from '@deputy/auth/protocol'
import { randomBytes } from 'node:crypto'

/** Bits behind the moment: 12 and 62, with version and variant between them. */
const RANDOM_BITS = 74
const LOW_BITS = 62
/** Of a step from one id to the next: too many to guess, and few enough for millions of steps a second. */
const STEP_BYTES = 6

/** Calls of one moment come to their ids a little later, and a clock may be set back a little: they go on from the last. */
const BACK_SECONDS = 10

let last = { at: Number.NEGATIVE_INFINITY, random: 0n }

/**
 * Makes an id (UUID version 7, RFC 9562 §5.7): the moment first, in whole seconds, then 74 bits that begin at random with
 * each second and go up by a random step with each id of this process (§6.2, method 2). What is new stands at the end of
 * an index, so that a book of many millions is written as fast as an empty one.
 */
export function createId(at: EpochSeconds): string {
  const isBehind = at <= last.at && at > last.at - BACK_SECONDS
  last = isBehind
    ? { at: last.at, random: last.random + 1n + readRandom(STEP_BYTES) }
    : { at, random: BigInt.asUintN(RANDOM_BITS - 1, readRandom(10)) }
  const moment = (last.at * 1000).toString(16).padStart(12, '0')
  const high = (last.random >> BigInt(LOW_BITS)).toString(16).padStart(3, '0')
  const low = BigInt.asUintN(LOW_BITS, last.random) | (1n << 63n)
  const tail = low.toString(16)
  return `${moment.slice(0, 8)}-${moment.slice(8)}-7${high}-${tail.slice(0, 4)}-${tail.slice(4)}`
}

function readRandom(bytes: number): bigint {
  return BigInt(`0x${randomBytes(bytes).toString('hex')}`)
}

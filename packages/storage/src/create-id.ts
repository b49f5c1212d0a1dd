import { randomFillSync } from 'node:crypto'

/** What the random part of an id can be: 12 and 14 bits with version and variant before them, and 48. */
const HIGH_BITS = 26
const LOW_MODULUS = 2 ** 48
const HALF = 2 ** 24
const LOW_BYTES = 6
const HIGH_BYTES = 4

/** Calls of one moment come to their ids a little later, and a clock may be set back a little: they go on from the last. */
const BACK_SECONDS = 10

/** Random bytes of many ids: to ask for those of one takes longer than all else. */
const pool = { bytes: Buffer.alloc(6 * 1024), used: Number.POSITIVE_INFINITY }

let last = { at: Number.NEGATIVE_INFINITY, moment: '', high: 0, low: 0 }

/**
 * Makes an id (UUID version 7, RFC 9562 §5.7): the moment first, in whole seconds, then 74 bits that begin at random with
 * each second and go up by a random step of up to 48 bits with each id of this process (§6.2, method 2). What is new stands
 * at the end of an index, so that a table of many millions is written as fast as an empty one; and nobody can tell the next
 * id from the last.
 *
 * @param at epoch seconds
 */
export function createId(at: number): string {
  if (at > last.at || at <= last.at - BACK_SECONDS) begin(at)
  else goOn()
  const { high, low, moment } = last
  const version = 0x70_00 + (high >>> 14)
  const variant = 0x80_00 + (high & 0x3f_ff)
  return `${moment}-${version.toString(16)}-${variant.toString(16)}-${toHex(Math.floor(low / HALF))}${toHex(low % HALF)}`
}

function begin(at: number): void {
  const moment = (at * 1000).toString(16).padStart(12, '0')
  last = {
    at,
    moment: `${moment.slice(0, 8)}-${moment.slice(8)}`,
    // Its first bit is 0: a second has room for 2^25 times all that one step can be.
    high: readRandom(HIGH_BYTES) % 2 ** (HIGH_BITS - 1),
    low: readRandom(LOW_BYTES),
  }
}

function goOn(): void {
  const sum = last.low + 1 + readRandom(LOW_BYTES)
  last.high += sum < LOW_MODULUS ? 0 : 1
  last.low = sum % LOW_MODULUS
}

/** Half of the low bits as six digits: whole numbers of 31 bits are written several times as fast as longer ones. */
function toHex(half: number): string {
  return (HALF + half).toString(16).slice(1)
}

function readRandom(bytes: number): number {
  if (pool.used + bytes > pool.bytes.length) {
    randomFillSync(pool.bytes)
    pool.used = 0
  }
  pool.used += bytes
  return pool.bytes.readUIntBE(pool.used - bytes, bytes)
}

// Places by SHA-256 hashes: open addressing, in 256 tables by the first byte, so that none takes long to grow. The
// bytes of the hashes are spread evenly, and nobody can choose them. A slot has the place, from 1, and four bytes of
// the hash: what is elsewhere is read only where those are the same.

/** Whether the hash at `at` of `bytes` is that of the place. */
export type IsHashAt = (place: number, bytes: Buffer, at: number) => boolean

export type HashIndex = {
  find(bytes: Buffer, at: number): number | undefined
  /** Replaces the place that the hash had, if it had one. */
  set(bytes: Buffer, at: number, place: number): void
  /** Bytes that it takes. */
  size(): number
}

const TABLES = 256
const FIRST_SLOTS = 8
const SLOT_BYTES = 8

type Table = { slots: Int32Array; count: number }

/** Creates an empty index. Places are below 2^31. */
export function createHashIndex(isHashAt: IsHashAt): HashIndex {
  const tables = Array.from({ length: TABLES }, (): Table => createTable(FIRST_SLOTS))
  let slots = TABLES * FIRST_SLOTS

  function tableOf(bytes: Buffer, at: number): Table {
    const table = tables[bytes[at] ?? 0]
    if (table === undefined) throw new RangeError('there is no hash at this place')
    return table
  }

  /** The slot of the hash, or the free one that it would have. */
  function findSlot({ slots: own }: Table, bytes: Buffer, at: number): number {
    const mark = bytes.readInt32LE(at + 1)
    const mask = own.length / 2 - 1
    let slot = mark & mask
    for (;;) {
      const place = own[2 * slot] ?? 0
      if (place === 0) return slot
      if (own[2 * slot + 1] === mark && isHashAt(place - 1, bytes, at)) return slot
      slot = (slot + 1) & mask
    }
  }

  function grow(table: Table): void {
    const { slots: old } = table
    const own = new Int32Array(old.length * 2)
    const mask = own.length / 2 - 1
    for (let from = 0; from < old.length; from += 2) {
      const mark = old[from + 1] ?? 0
      let slot = mark & mask
      if (old[from] === 0) continue
      while (own[2 * slot] !== 0) slot = (slot + 1) & mask
      own.set([old[from] ?? 0, mark], 2 * slot)
    }
    table.slots = own
    slots += old.length / 2
  }

  return {
    find(bytes, at) {
      const table = tableOf(bytes, at)
      const place = table.slots[2 * findSlot(table, bytes, at)] ?? 0
      return place === 0 ? undefined : place - 1
    },
    set(bytes, at, place) {
      const table = tableOf(bytes, at)
      if (table.count >= (table.slots.length / 2) * 0.7) grow(table)
      const slot = findSlot(table, bytes, at)
      if (table.slots[2 * slot] === 0) table.count += 1
      table.slots[2 * slot] = place + 1
      table.slots[2 * slot + 1] = bytes.readInt32LE(at + 1)
    },
    size: () => slots * SLOT_BYTES,
  }
}

function createTable(slots: number): Table {
  return { slots: new Int32Array(2 * slots), count: 0 }
}

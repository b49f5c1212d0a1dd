// How many calls share a request, or a message: no more than Deputy's agents take by default, in number and in bytes.
// An agent refuses what is larger as a whole, and with it calls of which each is small enough.

/** Most calls in one. */
const MAX_BATCH_SIZE = 100

/** Most characters of JSON, of which UTF-8 makes three bytes each at most: three quarters of a MiB. */
const MAX_BATCH_CHARS = 256 * 1024

export type SplitBatchOptions<Item> = {
  /** How much of it one takes, in characters. */
  readonly toChars: (item: Item) => number
  /** Most characters of one batch. Default: 262,144. */
  readonly maxChars?: number | undefined
  /** Characters that are there before the first. Default: 0. */
  readonly headChars?: number | undefined
}

/** Parts what is sent at the same time, in its order. What is too large by itself is alone. */
export function splitBatch<Item>(
  items: readonly Item[],
  { headChars = 0, maxChars = MAX_BATCH_CHARS, toChars }: SplitBatchOptions<Item>,
): Item[][] {
  const batches: Item[][] = []
  let last: Item[] = []
  let chars = 0
  for (const item of items) {
    const own = toChars(item)
    const isFull = last.length === MAX_BATCH_SIZE || chars + own > maxChars
    if (last.length === 0 || isFull) {
      last = []
      batches.push(last)
      chars = headChars
    }
    last.push(item)
    chars += own
  }
  return batches
}

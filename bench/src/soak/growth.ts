// Whether something grows: the slope of a line through its samples, over the time that they span.

export type Sample = { readonly atMs: number; readonly value: number }

/** By how much the line rises from the first sample to the last, as a share of the mean. Throws on fewer than two. */
export function findGrowth(samples: readonly Sample[]): number {
  const [first] = samples
  const last = samples.at(-1)
  if (first === undefined || last === undefined || samples.length < 2) {
    throw new RangeError('growth needs two samples')
  }
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const meanAt = mean(samples.map(({ atMs }) => atMs))
  const meanValue = mean(samples.map(({ value }) => value))
  let across = 0
  let squares = 0
  for (const { atMs, value } of samples) {
    across += (atMs - meanAt) * (value - meanValue)
    squares += (atMs - meanAt) ** 2
  }
  return ((across / squares) * (last.atMs - first.atMs)) / meanValue
}

// Numbers of slices as one number and its spread. Medians, since a pause of the machine in one slice
// must not move the result; a ratio is taken slice by slice, so that what slows a whole round cancels out.

/** The middle of a sample, and where its lowest and highest tenth begin. */
export type Summary = {
  readonly median: number
  readonly p10: number
  readonly p90: number
  readonly count: number
}

/** The value below which the share lies, between two values in proportion. Throws on no values. */
export function findQuantile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort()
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)]
  const above = sorted[Math.ceil(place)]
  if (below === undefined || above === undefined) throw new RangeError('a sample without values')
  return below + (above - below) * (place - Math.floor(place))
}

/** Summarizes a sample. Throws on no values. */
export function summarize(values: readonly number[]): Summary {
  return {
    median: findQuantile(values, 0.5),
    p10: findQuantile(values, 0.1),
    p90: findQuantile(values, 0.9),
    count: values.length,
  }
}

/** Summarizes how many times the one is the other, round by round. Throws when the rounds differ. */
export function summarizeRatio(of: readonly number[], to: readonly number[]): Summary {
  if (of.length !== to.length) throw new RangeError('samples of different rounds')
  return summarize(of.map((value, round) => value / (to[round] ?? Number.NaN)))
}

/**
 * Orders the contestants for each round. Each round is one further on than the last, and every second
 * turn of the wheel is backwards: over the run each stands in each place, after each other one.
 */
export function planRounds<Name>(names: readonly Name[], rounds: number): Name[][] {
  return Array.from({ length: rounds }, (_, round) => {
    const start = round % names.length
    const order = [...names.slice(start), ...names.slice(0, start)]
    return Math.floor(round / names.length) % 2 === 0 ? order : order.toReversed()
  })
}

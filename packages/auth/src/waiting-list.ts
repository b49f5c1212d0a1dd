// Those that wait for something, of whom most leave before it comes: calls, for the end of their caller's authority.
// No `Set`: filled and emptied without end, it makes a new table for every few dozen members, and the old ones, each of
// which keeps the next, hold what was in them until all of memory is looked at (docs/adr/0041).

/** Members in the order in which they came. */
export type WaitingList<Member extends object> = {
  /** Puts one at the end. What it answers takes it out again, and says whether it was still there. */
  add(member: Member): () => boolean
  /** Calls back for those that are there now, unless they leave before it is their turn. */
  forEach(callback: (member: Member, leave: () => boolean) => void): void
  readonly isEmpty: () => boolean
}

type Place<Member> = {
  member: Member | undefined
  before: Place<Member> | undefined
  after: Place<Member> | undefined
}

/** Creates an empty list. */
export function createWaitingList<Member extends object>(): WaitingList<Member> {
  let first: Place<Member> | undefined
  let last: Place<Member> | undefined

  function take(place: Place<Member>): boolean {
    if (place.member === undefined) return false
    const { after, before } = place
    if (before === undefined) first = after
    else before.after = after
    if (after === undefined) last = before
    else after.before = before
    // Whoever still has the place is to hold nothing by it.
    place.member = place.before = place.after = undefined
    return true
  }

  return {
    add(member) {
      const place: Place<Member> = { member, before: last, after: undefined }
      if (last === undefined) first = place
      else last.after = place
      last = place
      return () => take(place)
    },
    forEach(callback) {
      const places: Place<Member>[] = []
      for (let place = first; place !== undefined; place = place.after) places.push(place)
      for (const place of places) {
        if (place.member !== undefined) callback(place.member, () => take(place))
      }
    },
    isEmpty: () => first === undefined,
  }
}
